import { expect, it } from 'vitest';
import { authorizeClient } from '../../src/identity/authorize.ts';
import type { AuthorizationInput, IdentityPolicy } from '../../src/identity/client-checks.ts';
import { PathCache } from '../../src/identity/path-cache.ts';
import { evaluateShadow } from '../../src/identity/shadow.ts';
import { ocspResponders } from '../../src/issuing/revocation-sources.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import type { RevocationMaterial } from '../../src/revocation/state.ts';
import { identityPolicy } from '../support/identity/policy.ts';
import { authority } from '../support/pki/authority.ts';
import { ocspResult } from '../support/revocation/ocsp-result.ts';

const now = Date.UTC(2026, 0, 15, 12);
const hour = 3_600_000;
const pki = authority({ now });
const parse = ({ der }: { der: Uint8Array }) => parseCertificate(der);
const held = [pki.root, pki.issuing].map(parse);
const leaf = parse(pki.issueClient({ extensions: [ocspResponders(['http://ocsp.example/'])] }));

const policyWith = (material: Partial<RevocationMaterial> = {}, changes: Partial<IdentityPolicy> = {}) =>
  identityPolicy(held, { opensslHasAnchors: false, ...changes }, material);
const input: AuthorizationInput = {
  source: { allowed: true },
  peer: { leaf: leaf.x509, opensslCode: null },
  now,
};

it('lists every reason, where the verdict has only the first', () => {
  const strict = policyWith(
    { ocsp: [ocspResult(leaf, 'revoked', now + hour)] },
    { pins: new Set(['another']), match: [{ commonName: 'somebody' }] },
  );
  const refused = { ...input, source: { allowed: false } };
  const { anchor, denials } = evaluateShadow(refused, strict);
  expect(anchor).toBe('own');
  expect(denials.map(({ reason }) => reason)).toEqual([
    'address_refused',
    'pin_mismatch',
    'match_mismatch',
    'revoked',
  ]);
  expect(authorizeClient(refused, strict).verdict).toMatchObject({ reason: 'address_refused' });
});

it('skips the checks that need a path if there is none', () => {
  const elsewhere = policyWith({}, { paths: new PathCache([]), match: [{ commonName: 'somebody' }] });
  expect(evaluateShadow(input, elsewhere)).toEqual({
    anchor: null,
    denials: [expect.objectContaining({ reason: 'untrusted' })],
    unseen: null,
  });
  const anonymous = { ...input, peer: { ...input.peer, leaf: null } };
  expect(evaluateShadow(anonymous, policyWith()).denials).toEqual([
    expect.objectContaining({ reason: 'no_certificate' }),
  ]);
});

it('lists no reason for a client that authorizeClient() allows under the same policy', () => {
  const policy = policyWith({ ocsp: [ocspResult(leaf, 'good', now + hour)] });
  expect(evaluateShadow(input, policy)).toMatchObject({ anchor: 'own', denials: [] });
  expect(authorizeClient(input, policy).verdict.allow).toBe(true);
});
