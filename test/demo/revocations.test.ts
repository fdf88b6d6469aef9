/** CRLs and OCSP responses of the demo, read with the gateway's own code. */
import { expect, it } from 'vitest';
import { Revocations, revocationPaths } from '../../src/demo/revocations.ts';
import type { Issued } from '../../src/issuing/certificate.ts';
import { errorResponse, ocspErrors } from '../../src/issuing/ocsp.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import type { CrlSnapshot } from '../../src/revocation/crl/crl.ts';
import { readCrl } from '../../src/revocation/crl/reader.ts';
import { crlStatus } from '../../src/revocation/crl/status.ts';
import { checkCrlSuccession } from '../../src/revocation/crl/succession.ts';
import { ocspRequest } from '../../src/revocation/ocsp/request.ts';
import { type OcspAnswer, readOcspResponse } from '../../src/revocation/ocsp/response.ts';
import { checkOcspSuccession } from '../../src/revocation/ocsp/succession.ts';
import { authority } from '../support/pki/authority.ts';

const { root, issuing, issueClient } = authority();
const open = () => {
  const [client, revoked] = [issueClient(), issueClient()];
  return { client, revoked, revocations: new Revocations({ root, issuing, revoked }) };
};

function crlOf(revocations: Revocations, path: string, issuer: Issued): CrlSnapshot {
  const bytes = Uint8Array.from(revocations.crls.get(path) ?? []);
  const reading = readCrl({ bytes, issuers: [parseCertificate(issuer.der)] });
  if (!reading.ok) throw new Error(reading.detail);
  return reading.crl;
}

function byCrl(revocations: Revocations, leaf: Issued): { status: string; crl: CrlSnapshot } {
  const crl = crlOf(revocations, revocationPaths.issuingCrl, issuing);
  const [certificate, issuer] = [parseCertificate(leaf.der), parseCertificate(issuing.der)];
  return { crl, status: crlStatus({ certificate, issuer, crls: [crl], now: Date.now(), grace: 0 }).status };
}

function byOcsp(revocations: Revocations, leaf: Issued, ca: Issued): OcspAnswer {
  const subject = { certificate: parseCertificate(leaf.der), issuer: parseCertificate(ca.der) };
  const { response, serials } = revocations.answer(ocspRequest(subject));
  expect(serials).toEqual([subject.certificate.serial]);
  const reading = readOcspResponse(response, { ...subject, now: Date.now() });
  if (!reading.ok) throw new Error(reading.detail);
  return reading.answer;
}

it('gives the same status by CRL and by OCSP', () => {
  const { client, revoked, revocations } = open();
  expect(byCrl(revocations, client).status).toBe('good');
  expect(byOcsp(revocations, client, issuing).status).toBe('good');
  expect(byCrl(revocations, revoked).status).toBe('revoked');
  expect(byOcsp(revocations, revoked, issuing).status).toBe('revoked');
  expect(byOcsp(revocations, issuing, root).status).toBe('good');
  expect(crlOf(revocations, revocationPaths.rootCrl, root).table.count).toBe(0);
});

it('revokes and restores so that each status replaces the one before, in the same second too', () => {
  const { client, revocations } = open();
  const words = () => ({ ...byCrl(revocations, client), ocsp: byOcsp(revocations, client, issuing) });
  let last = words();
  for (const status of ['revoked', 'good', 'revoked', 'good']) {
    expect(status === 'revoked' ? revocations.revoke(client) : revocations.restore(client)).toBe(true);
    const next = words();
    expect(next).toMatchObject({ status, ocsp: { status } });
    const succession = checkCrlSuccession(next.crl, { last: last.crl, now: Date.now(), grace: 0 });
    expect(succession).toEqual({ accepted: true, warning: null });
    expect(next.crl.number).toBe((last.crl.number ?? 0n) + 1n);
    expect(checkOcspSuccession(next.ocsp, last.ocsp, Date.now())).toBe('new');
    last = next;
  }
});

it('signs nothing again if nothing changes', () => {
  const { client, revocations } = open();
  const before = revocations.crls.get(revocationPaths.issuingCrl);
  expect(revocations.restore(client)).toBe(false);
  expect(revocations.crls.get(revocationPaths.issuingCrl)).toBe(before);
  revocations.revoke(client);
  const after = revocations.crls.get(revocationPaths.issuingCrl);
  expect(revocations.revoke(client)).toBe(false);
  expect(revocations.crls.get(revocationPaths.issuingCrl)).toBe(after);
});

it('answers neither for other CAs nor unreadable requests', () => {
  const { revocations } = open();
  const other = authority();
  const subject = {
    certificate: parseCertificate(other.issueClient().der),
    issuer: parseCertificate(other.issuing.der),
  };
  expect(revocations.answer(ocspRequest(subject)).response).toEqual(errorResponse(ocspErrors.unauthorized));
  expect(revocations.answer(Buffer.from('0')).response).toEqual(errorResponse(ocspErrors.malformedRequest));
});
