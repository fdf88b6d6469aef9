import { describe, expect, it } from 'vitest';
import { validatePath } from '../../src/identity/path.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { CrlCheck } from '../../src/revocation/crl/check.ts';
import { readCrl } from '../../src/revocation/crl/reader.ts';
import { exceptions, needsCrls, type PkitsCase, pkitsCases, trustAnchor } from '../support/pki/pkits.ts';

const now = Date.now();
const day = 24 * 3_600_000;

/** `valid` if every certificate below the root is good, else the first other status, beginning with the leaf. */
function judge({ certificates, crls, endEntity }: PkitsCase): string {
  const held = [trustAnchor, ...certificates].map(parseCertificate);
  const leaf = parseCertificate(endEntity.certificate);
  // The rules against CAs and keyCertSign in clients do not matter here.
  const path = validatePath(
    { ...leaf, isCa: false, keyUsage: leaf.isCa ? null : leaf.keyUsage },
    { anchors: [{ name: 'pkits', certificates: held }], now },
  );
  if (!path.allow) return path.reason;

  const readings = crls.map((bytes) => readCrl({ bytes: Uint8Array.from(bytes), issuers: held }));
  const check = new CrlCheck({
    certificates: held,
    crls: readings.flatMap((reading) => (reading.ok ? reading.crl : [])),
    grace: day,
  });
  const [, ...above] = path.permit.certificates;
  const statuses = above.map((issuer, index) => {
    const certificate = index === 0 ? leaf : above[index - 1];
    const { status } = check.status(certificate ?? leaf, { issuer, now });
    return status === 'good' ? 'valid' : status === 'unknown' ? 'undetermined' : status;
  });
  return statuses.find((status) => status !== 'valid') ?? 'valid';
}

describe('the CRLs of PKITS', () => {
  const judged = pkitsCases.filter(
    (each) => (needsCrls(each) || each.expected === 'valid') && exceptions[each.number]?.why !== 'dsa',
  );

  it.each(judged)('$number $title: $expected', (pkitsCase) => {
    expect(judge(pkitsCase)).toBe(pkitsCase.expected);
  });
});
