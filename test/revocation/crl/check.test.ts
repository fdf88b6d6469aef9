import { describe, expect, it } from 'vitest';
import { issueCertificate } from '../../../src/issuing/certificate.ts';
import { type Certificate, parseCertificate } from '../../../src/pki/certificate.ts';
import { isIssuedBy } from '../../../src/pki/issued.ts';
import { CrlCheck } from '../../../src/revocation/crl/check.ts';
import { readCrl } from '../../../src/revocation/crl/reader.ts';
import type { CrlStatus } from '../../../src/revocation/crl/status.ts';
import { authority, type Issued, type IssueOptions } from '../../support/pki/authority.ts';
import { type PkitsCase, pkitsCases, trustAnchor } from '../../support/pki/pkits.ts';
import { distributionPoints, issueCrl } from '../../support/revocation/crl.ts';

const now = Date.UTC(2026, 0, 15, 12);
const day = 86_400_000;
const times = { thisUpdate: now - day, nextUpdate: now + day };

/** Options of a second certificate in a CA's name. */
const inNameOf = ({ subject }: Issued) => ({
  ...{ subject, notBefore: now - day, notAfter: now + day, basicConstraints: { ca: true } },
  keyUsage: ['keyCertSign', 'cRLSign'] as const,
});

type Ask = (crls: readonly { readonly der: Buffer }[], options?: { at?: number }) => CrlStatus;

/**
 * `held`: an anchor's certificates, the root first and then the leaf's issuer; `before`: those that it had when the CRLs
 * were read.
 */
function askerFor(held: readonly Issued[], leaf: Issued, before = held): Ask {
  const certificates = held.map(({ der }) => parseCertificate(der));
  const issuers = before.map(({ der }) => parseCertificate(der));
  const [, issuer] = certificates as [Certificate, Certificate];
  return (list, { at = now } = {}) => {
    const readings = list.map(({ der }) => readCrl({ bytes: Uint8Array.from(der), issuers }));
    const crls = readings.flatMap((reading) => (reading.ok ? [reading.crl] : []));
    expect(crls).toHaveLength(list.length);
    const check = new CrlCheck({ certificates, crls, grace: 0 });
    return check.status(parseCertificate(leaf.der), { issuer, now: at });
  };
}

/** A CA whose CRLs are signed with another key, in its own name. */
function separateKeys(signerOptions: Partial<IssueOptions> = {}) {
  const pki = authority({ now });
  const { root, issuing } = pki;
  const signer = issueCertificate({ ...inNameOf(issuing), issuer: root, ...signerOptions });
  const leaf = pki.issueClient();
  return { ...pki, signer, leaf, ask: askerFor([root, issuing, signer], leaf) };
}

describe('a CRL signed with another key in the issuer’s name', () => {
  it('is used if the signer has a valid path', () => {
    const { root, signer, leaf, ask } = separateKeys();
    const rootCrl = issueCrl({ issuer: root, ...times });
    expect(ask([rootCrl, issueCrl({ issuer: signer, ...times })])).toMatchObject({ status: 'good' });
    const revoking = issueCrl({ issuer: signer, ...times, revoked: [{ serial: leaf }] });
    expect(ask([rootCrl, revoking])).toMatchObject({ status: 'revoked' });
  });

  it('is not used if the signer is revoked', () => {
    const { root, signer, leaf, ask } = separateKeys();
    const rootCrl = issueCrl({ issuer: root, ...times, revoked: [{ serial: signer }] });
    for (const revoked of [[], [{ serial: leaf }]])
      expect(ask([rootCrl, issueCrl({ issuer: signer, ...times, revoked })])).toMatchObject({
        reason: 'wrong_signer',
      });
  });

  it('is not used if the signer’s own status has become stale', () => {
    const { root, signer, ask } = separateKeys();
    const rootCrl = issueCrl({ issuer: root, thisUpdate: now - 2 * day, nextUpdate: now - day });
    expect(ask([rootCrl, issueCrl({ issuer: signer, ...times })])).toMatchObject({ reason: 'wrong_signer' });
  });

  it('is used if the signer names no CRL and none covers it', () => {
    const plain = separateKeys();
    expect(plain.ask([issueCrl({ issuer: plain.signer, ...times })])).toMatchObject({ status: 'good' });
    const points = distributionPoints([{ urls: ['http://crl.example'] }]);
    const named = separateKeys({ extensions: [points] });
    expect(named.ask([issueCrl({ issuer: named.signer, ...times })])).toMatchObject({
      reason: 'wrong_signer',
    });
  });

  it('is not used outside of the signer’s validity', () => {
    const { signer, ask } = separateKeys({ notAfter: now + 1000 });
    const crl = issueCrl({ issuer: signer, ...times });
    expect(ask([crl])).toMatchObject({ status: 'good' });
    expect(ask([crl], { at: now + 2000 })).toMatchObject({ reason: 'wrong_signer' });
    expect(ask([crl], { at: now - 2 * day })).toMatchObject({ reason: 'wrong_signer' });
  });

  it('revokes permanently, even if its signer expires or the signer’s status becomes unknown', () => {
    const { root, signer, leaf, ask } = separateKeys({ notAfter: now + 1000 });
    const revoking = issueCrl({ issuer: signer, ...times, revoked: [{ serial: leaf }] });
    expect(ask([revoking], { at: now + 2000 })).toMatchObject({ status: 'revoked' });
    const old = issueCrl({ issuer: root, thisUpdate: now - 2 * day, nextUpdate: now - day });
    expect(ask([old, revoking])).toMatchObject({ status: 'revoked' });
    expect(ask([revoking], { at: now - 2 * day }), 'before it is valid').toMatchObject({
      reason: 'wrong_signer',
    });
  });

  it('is not used if only the CRL itself shows its signer to be good', () => {
    const { issuing } = authority({ now });
    const { signer, ask } = separateKeys({ issuer: issuing });
    // No known CA has issued this signer.
    expect(ask([issueCrl({ issuer: signer, ...times })])).toMatchObject({ reason: 'wrong_signer' });
  });

  it('is not used if no other CRL covers its signer', () => {
    const { root, issuing, issueClient } = authority({ now });
    const points = distributionPoints([{ urls: ['http://crl.example'] }]);
    const signer = issueCertificate({ ...inNameOf(issuing), issuer: issuing, extensions: [points] });
    const ask = askerFor([root, issuing, signer], issueClient());
    expect(ask([issueCrl({ issuer: signer, ...times })])).toMatchObject({ reason: 'wrong_signer' });
  });

  it('is not used if the CA above its signer is revoked', () => {
    const { root, issuing, issueClient } = authority({ now });
    const above = issueCertificate({ ...inNameOf(issuing), subject: { CN: 'Another CA' }, issuer: root });
    const signer = issueCertificate({ ...inNameOf(issuing), issuer: above });
    const ask = askerFor([root, issuing, above, signer], issueClient());
    const crls = [issueCrl({ issuer: signer, ...times }), issueCrl({ issuer: above, ...times })];
    expect(ask([...crls, issueCrl({ issuer: root, ...times })])).toMatchObject({ status: 'good' });
    const revoking = issueCrl({ issuer: root, ...times, revoked: [{ serial: above }] });
    expect(ask([...crls, revoking])).toMatchObject({ reason: 'wrong_signer' });
  });
});

describe('a CRL whose signer got another certificate with the same key', () => {
  function renewedAfter(changes: Partial<IssueOptions>, keepsFormer: boolean) {
    const { root, issuing, signer, leaf } = separateKeys({ notAfter: now + 1000 });
    const key = signer.privateKey;
    const renewed = issueCertificate({ ...inNameOf(issuing), issuer: root, key, ...changes });
    const held = [root, issuing, ...(keepsFormer ? [signer] : []), renewed];
    const crls = (...revoked: Issued[]) => [
      issueCrl({ issuer: root, ...times }),
      issueCrl({ issuer: signer, ...times, revoked: revoked.map((serial) => ({ serial })) }),
    ];
    return { leaf, crls, ask: askerFor(held, leaf, [root, issuing, signer]), held, root, renewed };
  }

  it.each<[string, boolean, number]>([
    ['in place of the former one', false, now],
    ['beside the former one, which has expired', true, now + 2000],
  ])('is used: %s', (_, keepsFormer, at) => {
    const { leaf, crls, ask } = renewedAfter({}, keepsFormer);
    expect(ask(crls(), { at })).toMatchObject({ status: 'good' });
    expect(ask(crls(leaf), { at })).toMatchObject({ status: 'revoked' });
  });

  it('is used while the new certificate beside the former one is not valid yet', () => {
    const later = { notBefore: now + day / 2, notAfter: now + 9 * day };
    const { leaf, crls, ask, held } = renewedAfter(later, true);
    expect(ask(crls())).toMatchObject({ status: 'good' });
    expect(ask(crls(leaf))).toMatchObject({ status: 'revoked' });
    expect(askerFor(held, leaf)(crls()), 'read with both').toMatchObject({ status: 'good' });
  });

  it.each<[string, Partial<IssueOptions>]>([
    ['may not sign CRLs', { keyUsage: ['keyCertSign'] }],
    ['has another name', { subject: { CN: 'Another CA' } }],
    ['has another key', { key: 'P-256' }],
  ])('is not used if that one %s', (_, changes) => {
    const { leaf, crls, ask } = renewedAfter(changes, false);
    expect(ask(crls(leaf))).toMatchObject({ reason: 'wrong_signer' });
  });

  it('is not used if that one is revoked', () => {
    const { leaf, crls, ask, root, renewed } = renewedAfter({}, false);
    const [, own] = crls(leaf) as [unknown, { readonly der: Buffer }];
    const revoking = issueCrl({ issuer: root, ...times, revoked: [{ serial: renewed }] });
    expect(ask([revoking, own])).toMatchObject({ reason: 'wrong_signer' });
  });
});

/** The cases that depend on CRLs alone; test/conformance covers the handshake. */
const crlCases = pkitsCases.filter(
  ({ number, expected }) =>
    /^4\.(4|5|7|14|15)\./.test(number) && ['valid', 'revoked', 'undetermined'].includes(expected),
);

/** Over every path from the end entity to the trust anchor; the best result counts. */
function judge({ endEntity, certificates: held, crls }: PkitsCase): string {
  const certificates = [trustAnchor, ...held].map(parseCertificate);
  const readings = crls.map((der) => readCrl({ bytes: Uint8Array.from(der), issuers: certificates }));
  const check = new CrlCheck({
    certificates,
    crls: readings.flatMap((reading) => (reading.ok ? [reading.crl] : [])),
    grace: 0,
  });
  const [anchor] = certificates;
  const outcomes = new Set<string>();
  const climb = (from: Certificate, path: readonly CrlStatus['status'][]): void => {
    if (from === anchor)
      return void outcomes.add(
        path.find((s) => s === 'revoked') ?? path.find((s) => s === 'unknown') ?? 'good',
      );
    for (const issuer of certificates) {
      if (issuer === from || path.length > certificates.length || !isIssuedBy(from, issuer)) continue;
      climb(issuer, [...path, check.status(from, { issuer, now }).status]);
    }
  };
  climb(parseCertificate(endEntity.certificate), []);
  return outcomes.has('good') ? 'valid' : outcomes.has('revoked') ? 'revoked' : 'undetermined';
}

describe('NIST PKITS cases that CRLs decide', () => {
  it('are all present', () => {
    expect(crlCases.length).toBeGreaterThanOrEqual(70);
  });

  it.each(crlCases.map((each) => [each.number, each.title, each] as const))(
    '%s %s',
    (_number, _title, each) => {
      expect(judge(each)).toBe(each.expected);
    },
  );
});
