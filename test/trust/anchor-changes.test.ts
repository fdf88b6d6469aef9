import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { type AnchoredCertificate, diffAnchors } from '../../src/trust/anchor-changes.ts';
import type { AnchorState } from '../../src/trust/state.ts';
import { now, own, stranger } from '../support/trust/anchor-store.ts';

const certificates = [own.root, own.issuing, stranger.root, stranger.issuing].map(({ der }) =>
  parseCertificate(der),
);
const stateOf = (name: string, held: typeof certificates, origin = '/etc/anchor.pem'): AnchorState => ({
  name,
  certificates: held as unknown as AnchorState['certificates'],
  skipped: [],
  fetchedAt: now,
  pinned: false,
  source: 'files',
  origins: new Map(held.map(({ sha256 }) => [sha256, origin])),
});

/** Anchors with different names, and any certificates in any order. */
const anchors = fc
  .uniqueArray(fc.constantFrom('a', 'b', 'a b'), { maxLength: 3 })
  .chain((names) =>
    fc.tuple(
      ...names.map((name) =>
        fc.shuffledSubarray(certificates, { minLength: 1 }).map((held) => stateOf(name, held)),
      ),
    ),
  );
const keysOf = (states: readonly AnchorState[]) =>
  states.flatMap(({ name, certificates: held }) => held.map(({ sha256 }) => `${name}/${sha256}`)).sort();
const keyOf = ({ anchor, sha256 }: AnchoredCertificate) => `${anchor}/${sha256}`;

it('a change applied to the old set gives the new set, and the reverse change the old set', () => {
  fc.assert(
    fc.property(anchors, anchors, (before, after) => {
      const { added, removed } = diffAnchors(before, after);
      const rest = keysOf(before).filter((key) => !removed.map(keyOf).includes(key));
      expect([...rest, ...added.map(keyOf)].sort()).toEqual(keysOf(after));
      expect(removed.map(keyOf)).toSatisfy((keys: string[]) =>
        keys.every((key) => keysOf(before).includes(key)),
      );
      expect(diffAnchors(after, before)).toEqual({ added: removed, removed: added });
    }),
  );
});

it('a change is empty if only the order, the time and the origin differ', () => {
  fc.assert(
    fc.property(anchors, (before) => {
      const after = before
        .map(({ name, certificates: held }) => stateOf(name, [...held].reverse(), 'https://a.example/'))
        .reverse();
      expect(diffAnchors(before, after)).toEqual({ added: [], removed: [] });
    }),
  );
});

it('a change lists subject, serial, SHA-256, origin and validity of each certificate', () => {
  const [root, issuing] = certificates as [(typeof certificates)[0], (typeof certificates)[0]];
  const { added } = diffAnchors([stateOf('own', [root])], [stateOf('own', [root, issuing])]);
  const { subject, serial, sha256, notBefore, notAfter } = issuing;
  expect(added).toEqual([
    { anchor: 'own', subject, serial, sha256, source: '/etc/anchor.pem', notBefore, notAfter },
  ]);
});
