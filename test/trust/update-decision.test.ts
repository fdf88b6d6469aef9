import { expect, it } from 'vitest';
import type { Issued } from '../../src/issuing/certificate.ts';
import type { StoredAnchor, StoredSource } from '../../src/trust/disk-cache.ts';
import { readServedSet, type ServedSet } from '../../src/trust/served-set.ts';
import type { AnchorState } from '../../src/trust/state.ts';
import { decideUpdate, type UpdateFacts } from '../../src/trust/update-decision.ts';
import { authority } from '../support/pki/authority.ts';
import { ca, certificates, issuing, now, root } from '../support/trust/anchor-certificates.ts';

const stranger = authority({ now });
const sourcesOf = (issued: readonly Issued[]): StoredSource[] => [
  { url: 'https://a.example/', bytes: Buffer.from(issued.map(({ pem }) => pem).join('')) },
];
const served = (...issued: Issued[]): ServedSet =>
  readServedSet({ name: 'own', sources: sourcesOf(issued), rootSha256: undefined, accept: () => null, now });
const sha256Of = (issued: Issued): string => certificates(issued)[0]?.sha256 ?? '';

/** The root and the issuing CA are in use, and their root is the known one. */
function inUse(): Pick<UpdateFacts, 'stored' | 'inUse'> {
  const set = served(root, issuing);
  if (set.anchor === null) throw new Error(set.problem);
  const stored: StoredAnchor = {
    ...{ name: 'own', fetchedAt: now, rootSha256: sha256Of(root), basis: 'first_use' },
    sources: sourcesOf([root, issuing]),
  };
  const { anchor, origins } = set;
  const state: AnchorState = { ...anchor, origins, fetchedAt: now, pinned: false, source: 'url' };
  return { stored, inUse: state };
}

const nothing = { stored: null, inUse: null };
const decide = (set: ServedSet, facts: Pick<UpdateFacts, 'stored' | 'inUse'>, pin?: string) =>
  decideUpdate({ served: set, ...facts, pin, now });

it('accepts the first set without a pin on first use, and with a pin as pinned', () => {
  const set = served(root, issuing);
  const first = { kind: 'accepted', basis: 'first_use', action: 'trust_on_first_use' };
  expect(decide(set, nothing)).toMatchObject(first);
  expect(decide(set, nothing, sha256Of(root))).toMatchObject({ basis: 'pin', action: 'fetched' });
});

it('confirms the set in use without an event, and reports a changed set', () => {
  const next = ca({ subject: { CN: 'next' }, issuer: root });
  expect(decide(served(root, issuing), inUse())).toMatchObject({ kind: 'accepted', action: null });
  expect(decide(served(root, next), inUse())).toMatchObject({ kind: 'accepted', action: 'fetched' });
});

it('asks for approval of another root, whether or not its set is usable', () => {
  const changed = { kind: 'root_changed', known: sha256Of(root) };
  expect(decide(served(stranger.root, stranger.issuing), inUse())).toMatchObject(changed);
  expect(decide(served(stranger.root, issuing), inUse())).toMatchObject(changed);
});

it('refuses an unusable set under the known root', () => {
  expect(decide(served(root, stranger.issuing), inUse())).toMatchObject({ kind: 'refused' });
});

it('refuses a set whose unreadable certificate may be one in use', () => {
  const broken = { ...issuing, pem: issuing.pem.replace(/(?<=\n)[^\n]{64}(?=\n)/, 'A'.repeat(64)) };
  const next = ca({ subject: { CN: 'next' }, issuer: root });
  expect(decide(served(root, next, broken), inUse())).toMatchObject({
    kind: 'refused',
    detail: expect.stringMatching(/this update would remove CN=Example Issuing CA.*, which is in use$/),
  });
});
