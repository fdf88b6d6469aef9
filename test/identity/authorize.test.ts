import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { authorizeClient } from '../../src/identity/authorize.ts';
import type { AuthorizationInput, IdentityPolicy } from '../../src/identity/client-checks.ts';
import { PathCache } from '../../src/identity/path-cache.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { identityPolicy } from '../support/identity/policy.ts';
import { authority } from '../support/pki/authority.ts';

const now = Date.UTC(2026, 0, 15, 12);
const pki = authority({ now });
const parse = ({ der }: { der: Uint8Array }) => parseCertificate(der);
const anchors = [{ name: 'own', certificates: [pki.root, pki.issuing].map(parse) }] as const;
const good = parse(pki.issueClient());
const untrusted = parse(authority({ now }).issueClient());

const policy = (changes?: Partial<IdentityPolicy>) => identityPolicy(anchors[0].certificates, changes);
const authorize = (input: AuthorizationInput, under: IdentityPolicy) => authorizeClient(input, under).verdict;
const source = { allowed: true };
const peer = { leaf: good.x509, opensslCode: null };

it('gives a permit with the generation, the anchor and the leaf', () => {
  const verdict = authorize({ source, peer, now }, policy());
  expect(verdict).toMatchObject({ allow: true, permit: { generation: 7, anchor: 'own' } });
  expect(verdict.allow && verdict.permit.leaf?.sha256).toBe(good.sha256);
});

describe('OpenSSL', () => {
  const refused = (opensslCode: string) => ({ source, peer: { ...peer, opensslCode }, now });

  it('denies a client if it rejects the contents of a certificate, where it has the anchors', () => {
    for (const code of [
      'INVALID_PURPOSE',
      'INVALID_CA',
      'PATH_LENGTH_EXCEEDED',
      'UNSPECIFIED',
      'A_NEW_CODE',
    ]) {
      expect(authorize(refused(code), policy())).toMatchObject({
        allow: false,
        reason: 'chain_refused',
        detail: expect.stringContaining(code),
      });
      expect(authorize(refused(code), policy({ opensslHasAnchors: false })).allow).toBe(true);
    }
  });

  it('is overruled where it built no path or compared dates', () => {
    for (const code of ['UNABLE_TO_GET_ISSUER_CERT', 'CERT_SIGNATURE_FAILURE', 'CERT_NOT_YET_VALID'])
      expect(authorize(refused(code), policy()).allow).toBe(true);
  });

  it('is overruled where it may have verified another CA with the name of one on the path', () => {
    const namesake = parse(authority({ now }).issuing);
    for (const paths of [
      new PathCache([{ name: 'own', certificates: [...anchors[0].certificates, namesake] }]),
      new PathCache([...anchors, { name: 'other', certificates: [namesake] }]),
    ])
      expect(authorize(refused('INVALID_PURPOSE'), policy({ paths })).allow).toBe(true);
  });

  it('does not authorize a client by its result alone', () => {
    const unknown = { source, peer: { leaf: untrusted.x509, opensslCode: null }, now };
    expect(authorize(unknown, policy())).toMatchObject({ allow: false, reason: 'untrusted' });
    const anonymous = { source, peer: { leaf: null, opensslCode: null }, now };
    expect(authorize(anonymous, policy())).toMatchObject({ allow: false, reason: 'no_certificate' });
  });
});

it('compares pins with the validated path, and then match with the leaf', () => {
  const unit = { organizationalUnit: 'Example organisation' };
  const judge = (changes: Partial<IdentityPolicy>) => {
    const verdict = authorize({ source, peer, now }, policy(changes));
    return verdict.allow ? 'allow' : verdict.reason;
  };
  expect(judge({ pins: new Set([good.spkiPin]) })).toBe('allow');
  expect(judge({ pins: new Set([parse(pki.issuing).spkiPin]) })).toBe('allow');
  expect(judge({ pins: new Set([untrusted.spkiPin]) })).toBe('pin_mismatch');
  expect(judge({ pins: new Set() })).toBe('pin_mismatch');
  expect(judge({ match: [unit] })).toBe('allow');
  expect(judge({ match: [{ commonName: 'somebody' }] })).toBe('match_mismatch');
  expect(judge({ match: [] })).toBe('match_mismatch');
  expect(judge({ pins: new Set([untrusted.spkiPin]), match: [{ commonName: 'somebody' }] })).toBe(
    'pin_mismatch',
  );
});

it('names the pin of the leaf if no key is pinned', () => {
  const verdict = authorize({ source, peer, now }, policy({ pins: new Set([untrusted.spkiPin]) }));
  expect(verdict).toMatchObject({ detail: expect.stringContaining(`sha256/${good.spkiPin}`) });
});

it('gives the same verdict for the same input and policy, and allows only a client that passes every check', () => {
  const leaves = [
    { x509: null, reason: 'no_certificate' },
    { x509: untrusted.x509, reason: 'untrusted' },
    { x509: parse(pki.issueClient({ notAfter: now - 1000 })).x509, reason: 'expired' },
    { x509: good.x509, reason: null },
  ];
  const some = fc.record({
    allowed: fc.boolean(),
    leaf: fc.constantFrom(...leaves),
    opensslCode: fc.constantFrom(null, 'INVALID_PURPOSE', 'CERT_SIGNATURE_FAILURE', 'CERT_HAS_EXPIRED'),
    opensslHasAnchors: fc.boolean(),
    pinned: fc.constantFrom(null, true, false),
    matched: fc.constantFrom(null, true, false),
  });
  fc.assert(
    fc.property(some, ({ allowed, leaf, opensslCode, opensslHasAnchors, pinned, matched }) => {
      const under = policy({
        opensslHasAnchors,
        pins: pinned === null ? null : new Set([pinned ? good.spkiPin : untrusted.spkiPin]),
        match: matched === null ? null : [{ commonName: matched ? 'Example client' : 'somebody' }],
      });
      const input = { source: { allowed }, peer: { leaf: leaf.x509, opensslCode }, now };
      const expected =
        (allowed ? null : 'address_refused') ??
        leaf.reason ??
        (opensslHasAnchors && opensslCode === 'INVALID_PURPOSE' ? 'chain_refused' : null) ??
        (pinned === false ? 'pin_mismatch' : null) ??
        (matched === false ? 'match_mismatch' : null);
      for (const verdict of [authorize(input, under), authorize(input, under)]) {
        expect(verdict.allow ? null : verdict.reason).toBe(expected);
      }
    }),
  );
});
