/** Compares with the OpenSSL command line: CRLs that it makes, and CRLs that the tests make. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import type { KeyKind } from '../../../src/pki/key.ts';
import { readCrl } from '../../../src/revocation/crl/reader.ts';
import { crlStatus } from '../../../src/revocation/crl/status.ts';
import { findRow, reasonAt } from '../../../src/revocation/crl/table.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { type Authority, authority } from '../../support/pki/authority.ts';
import type { CrlOptions } from '../../support/revocation/crl.ts';

const run = promisify(execFile);

const config = (folder: string) => `
[ca]
default_ca = it
[it]
database = ${folder}/index.txt
crlnumber = ${folder}/crlnumber
default_md = sha256
default_crl_days = 30
crl_extensions = extensions
[extensions]
authorityKeyIdentifier = keyid
issuingDistributionPoint = critical, @scope
[scope]
fullname = URI:http://crl.example/a.crl
onlyuser = TRUE
onlysomereasons = keyCompromise, CACompromise
`;

const reasons = ['unspecified', 'keyCompromise', 'superseded', 'cessationOfOperation'] as const;

/** A CRL with this number of entries, made by `openssl ca`. */
async function opensslCrl(folder: string, { pki, serials }: { pki: Authority; serials: readonly string[] }) {
  const file = (name: string) => join(folder, name);
  const line = (serial: string, index: number) =>
    `R\t301231235959Z\t260102030405Z,${reasons[index % 4]}\t${serial.toUpperCase()}\tunknown\t/CN=x\n`;
  await Promise.all([
    writeFile(file('ca.pem'), pki.issuing.pem),
    writeFile(file('ca.key'), pki.issuing.keyPem, { mode: 0o600 }),
    writeFile(file('index.txt'), serials.map(line).join('')),
    writeFile(file('crlnumber'), '0A\n'),
    writeFile(file('ca.cnf'), config(folder)),
  ]);
  const { stdout } = await run('openssl', [
    ...['ca', '-gencrl', '-config', file('ca.cnf'), '-cert', file('ca.pem'), '-keyfile', file('ca.key')],
  ]);
  return Buffer.from(stdout);
}

describe('a CRL made by OpenSSL', () => {
  it.each<KeyKind>(['rsa-2048', 'P-384'])('with a key of kind %s is read correctly', async (key) => {
    await using folder = await temporaryFolder();
    const pki = authority({ key });
    const serials = Array.from(
      { length: 300 },
      (_, index) => `4${randomBytes(4 + (index % 16)).toString('hex')}0`,
    );
    const issuers = [parseCertificate(pki.issuing.der)];
    const reading = readCrl({ bytes: await opensslCrl(folder.path, { pki, serials }), issuers });
    if (!reading.ok) throw new Error(reading.detail);
    const { crl } = reading;

    expect(crl).toMatchObject({ number: 10n, scope: { only: 'user', reasons: 0b110, indirect: false } });
    expect(crl.scope.names).toEqual([`86:${Buffer.from('http://crl.example/a.crl').toString('hex')}`]);
    expect((crl.nextUpdate ?? 0) - crl.thisUpdate).toBe(30 * 86_400_000);
    expect(crl.table.count).toBe(serials.length);
    for (const [index, serial] of serials.entries()) {
      const row = findRow(crl.table, Buffer.from(serial, 'hex'), crl.issuer);
      expect(reasonAt(crl.table, row)).toBe(reasons[index % 4]);
      expect(crl.table.dates[row]).toBe(Date.UTC(2026, 0, 2, 3, 4, 5));
    }
  });
});

describe('a CRL made by the tests', () => {
  const pki = authority({ key: 'rsa-2048' });
  const [leaf, other] = [pki.issueClient(), pki.issueClient()];
  const past = { thisUpdate: Date.now() - 7_200_000, nextUpdate: Date.now() - 3_600_000 };

  it.each<[string, Partial<CrlOptions>]>([
    ['that revokes the leaf', { revoked: [{ serial: other }, { serial: leaf, reason: 'keyCompromise' }] }],
    ['that revokes another', { revoked: [{ serial: other }] }],
    ['that is empty', {}],
    ['of version 1', { version: 1, revoked: [{ serial: leaf }] }],
    ['signed with PSS', { pss: true, revoked: [{ serial: leaf }] }],
    ['that has expired', past],
    ['that becomes valid in an hour', { thisUpdate: Date.now() + 3_600_000 }],
    ['for CAs only', { scope: { only: 'ca' } }],
    ['for users only', { scope: { only: 'user' }, revoked: [{ serial: leaf }] }],
    ['for another distribution point', { scope: { urls: ['http://a/'] } }],
    [
      'with an unknown critical extension',
      { extensions: [{ oid: '1.2.3.4', critical: true, value: Buffer.of(5, 0) }] },
    ],
    ['of another key', { issuer: authority({ key: 'rsa-2048' }).issuing }],
  ])('%s has the same status in OpenSSL', async (_, options) => {
    await using folder = await temporaryFolder();
    const file = (name: string) => join(folder.path, name);
    const { pem } = pki.crl(options);
    await Promise.all([
      writeFile(file('ca.pem'), pki.anchorPem),
      writeFile(file('leaf.pem'), leaf.pem),
      writeFile(file('crl.pem'), pem),
    ]);
    const theirs = await run('openssl', [
      ...['verify', '-CAfile', file('ca.pem'), '-CRLfile', file('crl.pem'), '-crl_check', '-extended_crl'],
      file('leaf.pem'),
    ]).then(
      () => 'good',
      ({ stderr }: { stderr: string }) => (stderr.includes('certificate revoked') ? 'revoked' : 'unknown'),
    );

    const issuer = parseCertificate(pki.issuing.der);
    const reading = readCrl({ bytes: Buffer.from(pem), issuers: [issuer] });
    const crls = reading.ok ? [reading.crl] : [];
    const certificate = parseCertificate(leaf.der);
    const ours = crlStatus({ certificate, issuer, crls, now: Date.now(), grace: 0 });
    expect(ours.status).toBe(theirs);
  });
});
