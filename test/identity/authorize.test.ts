import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { authorizeClient, type Claim, type IdentityPolicy } from '../../src/identity/authorize.ts';
import { PathCache } from '../../src/identity/path-cache.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { RevocationCheck } from '../../src/revocation/judgement.ts';
import { authority } from '../support/authority.ts';
import { nothingToAsk } from '../support/revocation.ts';

const now = Date.UTC(2026, 0, 15, 12);
const pki = authority({ now });
const parse = ({ der }: { der: Uint8Array }) => parseCertificate(der);
const anchors = [{ name: 'own', certificates: [pki.root, pki.issuing].map(parse) }];
const good = parse(pki.issueClient());
const stranger = parse(authority({ now }).issueClient());

const policy = (changes: Partial<IdentityPolicy> = {}): IdentityPolicy => ({
  generation: 7,
  pins: null,
  match: null,
  opensslMustAgree: true,
  paths: new PathCache(anchors),
  revocation: new Map([['own', new RevocationCheck(nothingToAsk, [])]]),
  ...changes,
});
const authorize = (claim: Claim, under: IdentityPolicy) => authorizeClient(claim, under).verdict;
const source = { allowed: true };
const peer = { leaf: good.x509, authorized: true, resumed: false };

it('gives a permit with the generation, the anchor and the leaf', () => {
  const verdict = authorize({ source, peer, now }, policy());
  expect(verdict).toMatchObject({ allow: true, permit: { generation: 7, anchor: 'own' } });
  expect(verdict.allow && verdict.permit.leaf.sha256).toBe(good.sha256);
});

describe('OpenSSL', () => {
  it('must agree on a full handshake', () => {
    const claim = { source, peer: { ...peer, authorized: false }, now };
    expect(authorize(claim, policy())).toMatchObject({ allow: false, reason: 'chain_refused' });
  });

  it('is not asked where it was given no anchors, nor on a resumed connection, where it only repeats itself', () => {
    const unauthorized = { ...peer, authorized: false };
    expect(authorize({ source, peer: unauthorized, now }, policy({ opensslMustAgree: false })).allow).toBe(
      true,
    );
    expect(authorize({ source, peer: { ...unauthorized, resumed: true }, now }, policy()).allow).toBe(true);
  });

  it('lets nobody in by its word alone, on a full handshake or a resumed one', () => {
    for (const resumed of [false, true]) {
      const claim = { source, peer: { leaf: stranger.x509, authorized: true, resumed }, now };
      expect(authorize(claim, policy())).toMatchObject({ allow: false, reason: 'untrusted' });
      const nobody = { source, peer: { leaf: null, authorized: true, resumed }, now };
      expect(authorize(nobody, policy())).toMatchObject({ allow: false, reason: 'no_certificate' });
    }
  });
});

it('compares pins with the validated path, and then match with the leaf', () => {
  const unit = { organizationalUnit: 'Example organisation' };
  const claim = { source, peer, now };
  const judge = (changes: Partial<IdentityPolicy>) => {
    const verdict = authorize(claim, policy(changes));
    return verdict.allow ? 'allow' : verdict.reason;
  };
  expect(judge({ pins: new Set([good.spkiPin]) })).toBe('allow');
  expect(judge({ pins: new Set([parse(pki.issuing).spkiPin]) })).toBe('allow');
  expect(judge({ pins: new Set([stranger.spkiPin]) })).toBe('pin_mismatch');
  expect(judge({ pins: new Set() })).toBe('pin_mismatch');
  expect(judge({ match: [unit] })).toBe('allow');
  expect(judge({ match: [{ commonName: 'somebody' }] })).toBe('match_mismatch');
  expect(judge({ match: [] })).toBe('match_mismatch');
  expect(judge({ pins: new Set([stranger.spkiPin]), match: [{ commonName: 'somebody' }] })).toBe(
    'pin_mismatch',
  );
});

it('tells the operator which key it was that is not pinned', () => {
  const verdict = authorize({ source, peer, now }, policy({ pins: new Set([stranger.spkiPin]) }));
  expect(verdict).toMatchObject({ detail: expect.stringContaining(`sha256/${good.spkiPin}`) });
});

it('judges the same claim under the same policy the same way, and allows only what passes every question', () => {
  const leaves = [
    { x509: null, reason: 'no_certificate' },
    { x509: stranger.x509, reason: 'untrusted' },
    { x509: parse(pki.issueClient({ notAfter: now - 1000 })).x509, reason: 'expired' },
    { x509: good.x509, reason: null },
  ];
  const some = fc.record({
    allowed: fc.boolean(),
    leaf: fc.constantFrom(...leaves),
    authorized: fc.boolean(),
    resumed: fc.boolean(),
    opensslMustAgree: fc.boolean(),
    pinned: fc.constantFrom(null, true, false),
    matched: fc.constantFrom(null, true, false),
  });
  fc.assert(
    fc.property(some, ({ allowed, leaf, authorized, resumed, opensslMustAgree, pinned, matched }) => {
      const under = policy({
        opensslMustAgree,
        pins: pinned === null ? null : new Set([pinned ? good.spkiPin : stranger.spkiPin]),
        match: matched === null ? null : [{ commonName: matched ? 'Example client' : 'somebody' }],
      });
      const claim = { source: { allowed }, peer: { leaf: leaf.x509, authorized, resumed }, now };
      const expected =
        (allowed ? null : 'address_refused') ??
        leaf.reason ??
        (opensslMustAgree && !resumed && !authorized ? 'chain_refused' : null) ??
        (pinned === false ? 'pin_mismatch' : null) ??
        (matched === false ? 'match_mismatch' : null);
      for (const verdict of [authorize(claim, under), authorize(claim, under)]) {
        expect(verdict.allow ? null : verdict.reason).toBe(expected);
      }
    }),
  );
});
