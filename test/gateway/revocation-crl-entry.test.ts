/** A CRL entry with an unknown extension: it and the others revoke, other clients continue, and it is reported. */
import { expect, it } from 'vitest';
import { crlEntry } from '../../src/issuing/crl.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { derElement, tags } from '../../src/pki/der-cursor.ts';
import { authority } from '../support/pki/authority.ts';
import { metricsWhen } from '../support/process/metrics.ts';
import { openSite, revocationRecord, valuesOf, visit } from '../support/revocation/site.ts';

it('keeps a CRL with an odd entry in use, and reports the entry in the audit and in a metric', async () => {
  const pki = authority();
  const [odd, revoked, good] = [pki.issueClient(), pki.issueClient(), pki.issueClient()];
  const [oddSerial, serial] = [odd, revoked].map(({ der }) => parseCertificate(der).serialOctets) as [
    Uint8Array,
    Uint8Array,
  ];
  const at = Date.now() - 60_000;
  const entries = Buffer.concat([
    derElement(
      tags.sequence,
      derElement(tags.integer, oddSerial),
      derElement(tags.utcTime, Buffer.from('?')),
    ),
    crlEntry({ serial: Buffer.alloc(32, 0x11), at }),
    crlEntry({ serial, at }),
  ]);
  await using stage = await openSite(
    [{ name: 'own', pki, revocation: { crl: ['own.crl'], ocsp: 'off', onUnknown: 'deny', scope: 'leaf' } }],
    { files: { 'own.crl': pki.crl({ revoked: entries }).der } },
  );
  const { detail } = await revocationRecord(stage.gateway, { event: 'crl_fetched' });
  expect(detail).toMatch(
    /3 entries, until .*; 1 entry violates RFC 5280 and counts as revoked \(an invalid date, at byte \d+\): report it to the CA$/,
  );
  expect(await visit(stage, odd)).toMatchObject({
    status: 403,
    record: {
      reason: 'revoked',
      detail: expect.stringContaining('was revoked at a date that the CRL does not state (unspecified)'),
    },
  });
  expect(await visit(stage, revoked)).toMatchObject({ status: 403, record: { reason: 'revoked' } });
  expect(await visit(stage, good)).toMatchObject({ status: 200, record: { revocation: 'good' } });
  const labels = { anchor: 'own' };
  await metricsWhen(stage.gateway, (samples) =>
    valuesOf(samples, 'ehi_revocation_unclear_entries', labels).includes(1),
  );
});
