import { describe, expect, it } from 'vitest';
import { authorizeClient, type Claim, type IdentityPolicy, rehearse } from '../../src/identity/authorize.ts';
import { PathCache } from '../../src/identity/path-cache.ts';
import { ocspResponders } from '../../src/issuing/revocation-sources.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { RevocationCheck } from '../../src/revocation/judgement.ts';
import type { OcspFact, RevocationMaterial } from '../../src/revocation/state.ts';
import { authority } from '../support/pki/authority.ts';
import { nothingToAsk, revocationPolicy } from '../support/revocation/revocation.ts';

const now = Date.UTC(2026, 0, 15, 12);
const hour = 3_600_000;
const pki = authority({ now });
const parse = ({ der }: { der: Uint8Array }) => parseCertificate(der);
const held = [pki.root, pki.issuing].map(parse);
const leaf = parse(pki.issueClient({ extensions: [ocspResponders(['http://ocsp.example/'])] }));

function policyWith(
  material: Partial<RevocationMaterial> = {},
  changes: Partial<IdentityPolicy> = {},
): IdentityPolicy {
  return {
    generation: 7,
    pins: null,
    match: null,
    opensslHasAnchors: false,
    paths: new PathCache([{ name: 'own', certificates: held }]),
    revocation: new Map([['own', new RevocationCheck({ ...nothingToAsk, ...material }, held)]]),
    ...changes,
  };
}
const claim: Claim = {
  source: { allowed: true },
  peer: { leaf: leaf.x509, opensslCode: null },
  now,
};
const fact = (status: OcspFact['status'], freshUntil = now + hour): OcspFact => {
  return {
    certificate: leaf.tbsSha256,
    status,
    freshUntil,
    address: 'http://o/',
    detail: 'noon',
    problem: null,
    responder: null,
  };
};
const lenient = { ...revocationPolicy, onUnknown: 'allow' } as const;

describe('revocation in the verdict', () => {
  it.each([
    ['good', [fact('good')], revocationPolicy, null, 'not_checked'],
    ['revoked', [fact('revoked')], revocationPolicy, 'revoked', 'revoked'],
    ['revoked, where unknown is allowed', [fact('revoked')], lenient, 'revoked', 'revoked'],
    ['unknown', [fact('failed')], revocationPolicy, 'revocation_unknown', 'unknown'],
    ['unknown, where that is allowed', [fact('unknown')], lenient, null, 'unknown'],
    ['unknown, for nobody was asked', [], revocationPolicy, 'revocation_unknown', 'unknown'],
  ] as const)('%s', (_, ocsp, policy, reason, status) => {
    const { verdict, revocation } = authorizeClient(claim, policyWith({ ocsp, policy }));
    expect(verdict.allow ? null : verdict.reason).toBe(reason);
    expect(revocation).toEqual({ anchor: 'own', status });
  });

  it('gives a permit that ends with the evidence, or with the path', () => {
    const policy = { ...revocationPolicy, scope: 'leaf' } as const;
    const until = (ocsp: OcspFact) => {
      const { verdict } = authorizeClient(claim, policyWith({ ocsp: [ocsp], policy }));
      return verdict.allow ? verdict.permit.validUntil : null;
    };
    expect(until(fact('good'))).toBe(now + hour);
    expect(until(fact('good', leaf.notAfter + hour))).toBe(leaf.notAfter);
  });

  it('tells of a leaf that nobody looks after, unless something else speaks against the caller', () => {
    const ask = (policy: IdentityPolicy) => authorizeClient(claim, policy).unseen;
    expect(ask(policyWith())).toMatchObject({ anchor: 'own', leaf: { sha256: leaf.sha256 } });
    expect(ask(policyWith({ leaves: [leaf.tbsSha256] }))).toBeNull();
    expect(ask(policyWith({}, { match: [{ commonName: 'somebody' }] }))).toBeNull();
    expect(ask(policyWith({}, { pins: new Set(['another']) }))).toBeNull();
  });
});

describe('a rehearsal', () => {
  it('tells every reason at once, where the verdict tells the first', () => {
    const strict = policyWith(
      { ocsp: [fact('revoked')] },
      { pins: new Set(['another']), match: [{ commonName: 'somebody' }] },
    );
    const from = { ...claim, source: { allowed: false } };
    const { anchor, denials } = rehearse(from, strict);
    expect(anchor).toBe('own');
    expect(denials.map(({ reason }) => reason)).toEqual([
      'address_refused',
      'pin_mismatch',
      'match_mismatch',
      'revoked',
    ]);
    expect(authorizeClient(from, strict).verdict).toMatchObject({ reason: 'address_refused' });
  });

  it('asks nothing about a path that is not there', () => {
    const elsewhere = policyWith({}, { paths: new PathCache([]), match: [{ commonName: 'somebody' }] });
    expect(rehearse(claim, elsewhere)).toEqual({
      anchor: null,
      denials: [expect.objectContaining({ reason: 'untrusted' })],
      unseen: null,
    });
    const nobody = { ...claim, peer: { ...claim.peer, leaf: null } };
    expect(rehearse(nobody, policyWith()).denials).toEqual([
      expect.objectContaining({ reason: 'no_certificate' }),
    ]);
  });

  it('says nothing against whom the verdict lets in under the same policy', () => {
    const policy = policyWith({ ocsp: [fact('good')] });
    expect(rehearse(claim, policy)).toMatchObject({ anchor: 'own', denials: [] });
    expect(authorizeClient(claim, policy).verdict.allow).toBe(true);
  });
});
