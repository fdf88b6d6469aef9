/** The revocation check as it decides the verdict; the other checks are in authorize.test.ts. */
import { describe, expect, it } from 'vitest';
import { authorizeClient } from '../../src/identity/authorize.ts';
import type { AuthorizationInput, IdentityPolicy } from '../../src/identity/client-checks.ts';
import { ocspResponders } from '../../src/issuing/revocation-sources.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import type { OcspResult, RevocationMaterial } from '../../src/revocation/state.ts';
import { identityPolicy } from '../support/identity/policy.ts';
import { authority } from '../support/pki/authority.ts';
import { ocspResult } from '../support/revocation/ocsp-result.ts';
import { revocationPolicy } from '../support/revocation/revocation.ts';

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
const result = (status: OcspResult['status'], freshUntil = now + hour) =>
  ocspResult(leaf, status, freshUntil);
const lenient = { ...revocationPolicy, onUnknown: 'allow' } as const;

describe('revocation in the verdict', () => {
  it.each([
    ['good', [result('good')], revocationPolicy, null, 'not_checked'],
    ['revoked', [result('revoked')], revocationPolicy, 'revoked', 'revoked'],
    ['revoked, where unknown is allowed', [result('revoked')], lenient, 'revoked', 'revoked'],
    ['unknown', [result('failed')], revocationPolicy, 'revocation_unknown', 'unknown'],
    ['unknown, where that is allowed', [result('unknown')], lenient, null, 'unknown'],
    ['unknown, since no source was queried', [], revocationPolicy, 'revocation_unknown', 'unknown'],
  ] as const)('%s', (_, ocsp, policy, reason, status) => {
    const { verdict, revocation } = authorizeClient(input, policyWith({ ocsp, policy }));
    expect(verdict.allow ? null : verdict.reason).toBe(reason);
    expect(revocation).toEqual({ anchor: 'own', status });
  });

  it('gives a permit that ends with the revocation evidence or with the path', () => {
    const policy = { ...revocationPolicy, scope: 'leaf' } as const;
    const until = (ocsp: OcspResult) => {
      const { verdict } = authorizeClient(input, policyWith({ ocsp: [ocsp], policy }));
      return verdict.allow ? verdict.permit.validUntil : null;
    };
    expect(until(result('good'))).toBe(now + hour);
    expect(until(result('good', leaf.notAfter + hour))).toBe(leaf.notAfter);
  });

  it('reports a leaf whose sources have not been queried, unless another check has failed', () => {
    const unseen = (policy: IdentityPolicy) => authorizeClient(input, policy).unseen;
    expect(unseen(policyWith())).toMatchObject({ anchor: 'own', leaf: { sha256: leaf.sha256 } });
    expect(unseen(policyWith({ leaves: [leaf.tbsSha256] }))).toBeNull();
    expect(unseen(policyWith({}, { match: [{ commonName: 'somebody' }] }))).toBeNull();
    expect(unseen(policyWith({}, { pins: new Set(['another']) }))).toBeNull();
  });
});
