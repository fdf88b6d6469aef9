/** CRLs with entries that violate RFC 5280: each still revokes, and the rest of the CRL is used. */
import { execFile } from 'node:child_process';
import { constants, sign } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { AsnConvert } from '@peculiar/asn1-schema';
import { describe, expect, it } from 'vitest';
import { algorithmOf, type Issued, issueCertificate, signBytes } from '../../../src/issuing/certificate.ts';
import { type Certificate, parseCertificate } from '../../../src/pki/certificate.ts';
import { DerCursor, derElement, tags } from '../../../src/pki/der-cursor.ts';
import {
  derExtensions,
  derInteger,
  derOid,
  derTime,
  type RawExtension,
} from '../../../src/pki/der-writer.ts';
import { MAX_SERIAL_OCTETS } from '../../../src/pki/serial.ts';
import { CrlCheck } from '../../../src/revocation/crl/check.ts';
import type { CrlReading, CrlSnapshot } from '../../../src/revocation/crl/crl.ts';
import { describeCrl } from '../../../src/revocation/crl/describe.ts';
import { readCrl } from '../../../src/revocation/crl/reader.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { authority } from '../../support/pki/authority.ts';
import { type CrlOptions, crlPem, type PointOptions } from '../../support/revocation/crl.ts';

const now = Math.floor(Date.now() / 1000) * 1000;
const day = 24 * 3_600_000;
const pki = authority({ now });
const certificates = [pki.root, pki.issuing].map(({ der }) => parseCertificate(der)) as [
  Certificate,
  Certificate,
];

/** A certificate of the issuing CA with this serial number (the contents of its INTEGER). */
function leafWith(serial: Uint8Array, ca: Issued = pki.issuing): Issued {
  const { der } = issueCertificate({
    ...{ subject: { CN: 'x' }, issuer: ca, notBefore: now - day, notAfter: now + day },
    basicConstraints: { ca: false },
  });
  const { fields: made } = fieldsOf(der);
  const plain = derElement(tags.integer, parseCertificate(der).serialOctets);
  const at = made.indexOf(plain);
  const number = derElement(tags.integer, serial);
  const fields = Buffer.concat([made.subarray(0, at), number, made.subarray(at + plain.length)]);
  const signed = derElement(tags.sequence, fields);
  const algorithm = Buffer.from(AsnConvert.serialize(algorithmOf(ca.privateKey, 'sha256', false)));
  const whole = derElement(tags.sequence, signed, algorithm, bits(signBytes(signed, ca.privateKey, {})));
  const base64 = whole.toString('base64').replace(/.{64}(?=.)/g, '$&\n');
  const pem = `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`;
  return { ...pki.issueClient(), der: whole, pem };
}

/** The fields of the TBSCertList, without its header, and where they begin. */
function fieldsOf(der: Uint8Array): { fields: Buffer; at: number } {
  const cursor = new DerCursor(der);
  cursor.open(der.length);
  cursor.open(der.length);
  return { fields: Buffer.from(der.subarray(cursor.start, cursor.end)), at: cursor.start };
}

const bits = (signature: Uint8Array) => derElement(tags.bitString, Buffer.of(0), signature);

const utc = (text: string) => derElement(tags.utcTime, Buffer.from(text));
const generalized = (text: string) => derElement(tags.generalizedTime, Buffer.from(text));
const date = derTime(now - day);
const serial = Buffer.from('4d01020304', 'hex');
const other = Buffer.from('4d05060708', 'hex');
const extension = (oid: string, value: Uint8Array, critical = false): RawExtension => ({
  oid,
  value,
  critical,
});
const reason = (code: number) => extension('2.5.29.21', derElement(tags.enumerated, Buffer.of(code)));
const entry = (number: Uint8Array, ...rest: Uint8Array[]) =>
  derElement(tags.sequence, derElement(tags.integer, number), ...rest);
const plain = entry(other, date);

const read = (bytes: Uint8Array): CrlReading =>
  readCrl({ bytes: Uint8Array.from(bytes), issuers: certificates });
const crlOf = (entries: readonly Uint8Array[], options: Partial<CrlOptions> = {}) =>
  pki.crl({ revoked: Buffer.concat(entries), ...options }).der;

function good(reading: CrlReading): CrlSnapshot {
  if (!reading.ok) throw new Error(`${reading.problem}: ${reading.detail}`);
  return reading.crl;
}

function statusOf(leaf: Issued, crl: CrlSnapshot) {
  const check = new CrlCheck({ certificates, crls: [crl], grace: 0 });
  return check.status(parseCertificate(leaf.der), { issuer: certificates[1], now });
}

/** Whether `openssl verify -crl_check` finds the certificate revoked; null: another result. */
async function openssl(leaf: Issued, crl: Uint8Array): Promise<boolean | null> {
  await using folder = await temporaryFolder();
  const put = (name: string, contents: string) => writeFile(join(folder.path, name), contents);
  await put('ca.pem', pki.root.pem + pki.issuing.pem);
  await put('leaf.pem', leaf.pem);
  await put('crl.pem', crlPem(crl));
  const flags = ['verify', '-crl_check', '-CAfile', 'ca.pem', '-CRLfile', 'crl.pem', 'leaf.pem'];
  try {
    await promisify(execFile)('openssl', flags, { cwd: folder.path });
    return false;
  } catch (cause) {
    return String((cause as { stderr?: string }).stderr).includes('certificate revoked') ? true : null;
  }
}

const long = Buffer.alloc(32, 0x7f);

describe('an invalid entry revokes its certificate, and the rest of the CRL is used, with', () => {
  /** `unclear`: the reported defect of the entry; null: none. */
  it.each<[string, Buffer, Uint8Array, object, string | null, boolean | null]>([
    ['a serial of 32 octets', long, entry(long, date), { revokedAt: now - day }, null, true],
    ['a serial of 64 octets', Buffer.alloc(64, 0x11), entry(Buffer.alloc(64, 0x11), date), {}, null, true],
    ['a negative serial', Buffer.of(0xed, 0x99), entry(Buffer.of(0xed, 0x99), date), {}, null, true],
    ['the serial zero', Buffer.of(0), entry(Buffer.of(0), date), {}, null, true],
    // OpenSSL cannot read such an INTEGER.
    ['a sign octet too many', serial, entry(Buffer.concat([Buffer.of(0, 0), serial]), date), {}, null, null],
    [
      'a date without seconds',
      serial,
      entry(serial, utc('2501010000Z')),
      { revokedAt: Date.UTC(2025, 0) },
      null,
      true,
    ],
    [
      'a date with a time zone',
      serial,
      entry(serial, utc('250101010000+0100')),
      { revokedAt: Date.UTC(2025, 0) },
      null,
      true,
    ],
    [
      'a date in the year 1',
      serial,
      entry(serial, generalized('00010101000000Z')),
      { revokedAt: Date.parse('0001-01-01T00:00Z') },
      null,
      true,
    ],
    [
      'an invalid date',
      serial,
      entry(serial, utc('991332000000Z')),
      { revokedAt: Number.NaN },
      'an invalid date',
      true,
    ],
    [
      'a local date',
      serial,
      entry(serial, generalized('20250101000000')),
      { revokedAt: Number.NaN },
      'an invalid date',
      true,
    ],
    [
      'removeFromCRL',
      serial,
      entry(serial, date, derExtensions([reason(8)])),
      { reason: 'unspecified' },
      'removeFromCRL in a complete CRL',
      false,
    ],
    [
      'an unknown reason',
      serial,
      entry(serial, date, derExtensions([reason(99)])),
      { reason: 'unspecified' },
      null,
      true,
    ],
    [
      'a reason that is an INTEGER',
      serial,
      entry(serial, date, derExtensions([extension('2.5.29.21', derInteger(1))])),
      { reason: 'unspecified' },
      'tag 0x02 instead of 0x0a',
      true,
    ],
    [
      'a reason twice',
      serial,
      entry(serial, date, derExtensions([reason(1), reason(1)])),
      { reason: 'unspecified' },
      'an extension that occurs twice',
      true,
    ],
    [
      'critical invalidityDate',
      serial,
      entry(serial, date, derExtensions([extension('2.5.29.24', date, true)])),
      {},
      null,
      null,
    ],
    [
      'a certificateIssuer though the CRL is not indirect',
      serial,
      entry(
        serial,
        date,
        derExtensions([
          extension('2.5.29.29', derElement(tags.sequence, derElement(0x82, Buffer.from('a'))), true),
        ]),
      ),
      {},
      'a certificateIssuer in a CRL that is not indirect',
      false,
    ],
    ['no date', serial, entry(serial), { revokedAt: Number.NaN }, 'cut off', null],
    [
      'trailing bytes after its extensions',
      serial,
      entry(serial, date, derExtensions([]), Buffer.of(5, 0)),
      {},
      'bytes after an element',
      null,
    ],
    [
      'an invalid extensions field',
      serial,
      entry(serial, date, Buffer.of(0x30, 2, 5, 0)),
      {},
      'tag 0x05',
      null,
    ],
  ])('%s', async (_, number, odd, facts, unclear, opensslRevokes) => {
    const der = crlOf([plain, odd, entry(Buffer.of(1), date)]);
    const crl = good(read(der));
    expect(crl.table.count).toBe(3);
    const leaf = leafWith(number);
    expect(statusOf(leaf, crl)).toMatchObject({ status: 'revoked', ...facts });
    expect(statusOf(leafWith(other), crl)).toMatchObject({ status: 'revoked', revokedAt: now - day });
    expect(statusOf(pki.issueClient(), crl)).toMatchObject({ status: 'good' });
    if (unclear === null) expect(crl.unclear).toBeNull();
    else expect(crl.unclear).toEqual({ count: 1, first: expect.stringContaining(unclear) });
    expect(await openssl(leaf, der)).toBe(opensslRevokes);
  });

  it('several of them, and the position of the first is reported', () => {
    const odd = entry(serial, utc('9'));
    const crl = good(read(crlOf([plain, odd, odd, plain])));
    expect(crl.unclear).toEqual({
      count: 2,
      first: expect.stringMatching(/^an invalid date, at byte \d+$/),
    });
    expect(describeCrl(crl)).toContain('2 entries violate RFC 5280 and count as revoked');
  });

  it('extensions in a v1 CRL, the version explicit or not', () => {
    const { der } = pki.crl({ version: 1, revoked: [{ serial: pki.issueClient(), reason: 'superseded' }] });
    expect(good(read(der)).table.count).toBe(1);
    expect(good(read(resign(der, 0, derInteger(0)))).table.count).toBe(1);
  });

  it('a serial number that no certificate can have, which is ignored', () => {
    const beyond = Buffer.alloc(MAX_SERIAL_OCTETS + 1, 0x11);
    const crl = good(read(crlOf([plain, entry(beyond, date)])));
    expect(crl.table).toMatchObject({ count: 1, width: other.length });
    expect(crl.unclear).toMatchObject({
      count: 1,
      first: expect.stringContaining('a serial number of 65 octets'),
    });
    // One limit for both.
    expect(() => parseCertificate(leafWith(beyond).der)).toThrow(
      'a serial number of 65 octets, more than 64',
    );
    expect(parseCertificate(leafWith(beyond.subarray(1)).der).serialOctets).toHaveLength(64);
  });
});

describe('in an indirect CRL', () => {
  const scope = { indirect: true } satisfies PointOptions & { indirect: boolean };
  const names = (name: Issued['subject']) =>
    derElement(tags.sequence, derElement(0xa4, Buffer.from(AsnConvert.serialize(name))));
  const issuedBy = (name: Issued['subject']) => extension('2.5.29.29', names(name), true);

  it.each([
    ['cannot be parsed', extension('2.5.29.29', Buffer.of(5, 0), true)],
    [
      'is not a directory name',
      extension('2.5.29.29', derElement(tags.sequence, derElement(0x82, Buffer.from('a'))), true),
    ],
  ])(
    'an entry whose issuer %s revokes for any issuer, and so do the entries after it without an issuer',
    (_, odd) => {
      const [one, two, three] = [1, 2, 3].map((octet) => Buffer.of(octet)) as [Buffer, Buffer, Buffer];
      const crl = good(
        read(
          crlOf(
            [
              entry(one, date, derExtensions([odd])),
              entry(two, date),
              entry(three, date, derExtensions([issuedBy(pki.root.subject)])),
            ],
            { scope },
          ),
        ),
      );
      expect([one, two, three].map((number) => statusOf(leafWith(number), crl).status)).toEqual([
        'revoked',
        'revoked',
        'good',
      ]);
      expect(crl.unclear).toMatchObject({ count: 1 });
    },
  );
});

it('a delta CRL cancels a revocation only with a fully valid entry', () => {
  const complete = good(read(crlOf([entry(serial, date), entry(other, date)], { number: 5 })));
  const removes = derExtensions([reason(8)]);
  const odd = derExtensions([reason(8), reason(8)]);
  const delta = good(
    read(crlOf([entry(serial, utc('9'), removes), entry(other, date, odd)], { number: 6, baseNumber: 5 })),
  );
  const check = new CrlCheck({ certificates, crls: [complete, delta], grace: 0 });
  const status = (number: Buffer) =>
    check.status(parseCertificate(leafWith(number).der), { issuer: certificates[1], now }).status;
  expect(status(serial)).toBe('good');
  expect(status(other)).toBe('revoked');
});

describe('a CRL is read', () => {
  it('with lengths in more octets than necessary, and with trailing line ends', () => {
    const der = crlOf([plain]);
    const longer = Buffer.concat([Buffer.of(0x30, 0x83, 0), der.subarray(2)]);
    expect(good(read(longer)).table.count).toBe(1);
    expect(good(read(Buffer.concat([der, Buffer.from('\r\n')]))).table.count).toBe(1);
    const text = `0 entries\n${crlPem(der)}`;
    expect(good(read(Buffer.from(text))).table.count).toBe(1);
  });

  it.each([
    [-1n, Buffer.of(0xff)],
    [2n ** 239n, derInteger(2n ** 239n).subarray(2)],
  ])('with the number %s', (number, octets) => {
    const extensions = [extension('2.5.29.20', derElement(tags.integer, octets))];
    expect(good(read(crlOf([], { number: null, extensions }))).number).toBe(number);
  });

  it('with fractions of a second in its dates', () => {
    const der = crlOf([]);
    const text = new Date(now - 60_000).toISOString().slice(0, 19).replaceAll(/\D/g, '');
    const plainTime = derTime(now - 60_000);
    const changed = resign(der, der.indexOf(plainTime), generalized(`${text}.5Z`), plainTime.length);
    expect(good(read(changed)).thisUpdate).toBe(now - 60_000);
  });

  it('for a certificate whose distribution point has scheme and host in another case', () => {
    const scope = { urls: ['HTTP://CA.example/Path.crl'] };
    const crl = good(read(crlOf([entry(serial, date)], { scope })));
    const check = new CrlCheck({ certificates, crls: [crl], grace: 0 });
    const status = (url: string) => {
      const { crlDistributionPoints: points } = parseCertificate(pointed(url).der);
      const leaf = { ...parseCertificate(leafWith(serial).der), crlDistributionPoints: points };
      return check.status(leaf, { issuer: certificates[1], now }).status;
    };
    expect(status('http://ca.EXAMPLE/Path.crl')).toBe('revoked');
    expect(status('http://ca.example/path.crl')).toBe('unknown');
  });

  it('with RSASSA-PSS of SHA-256 whose MGF1 uses SHA-1', () => {
    const rsa = authority({ now, key: 'rsa-2048' });
    const hash = (oid: string) => derElement(tags.sequence, derOid(oid), Buffer.of(5, 0));
    const mask = derElement(tags.sequence, derOid('1.2.840.113549.1.1.8'), hash('1.3.14.3.2.26'));
    const parameters = derElement(
      tags.sequence,
      derElement(0xa0, hash('2.16.840.1.101.3.4.2.1')),
      derElement(0xa1, mask),
    );
    const pss = derElement(tags.sequence, derOid('1.2.840.113549.1.1.10'), parameters);
    const { privateKey, subject } = rsa.issuing;
    const tbs = derElement(
      tags.sequence,
      pss,
      Buffer.from(AsnConvert.serialize(subject)),
      derTime(now - 60_000),
      derTime(now + day),
    );
    const rsaKey = privateKey.export({ type: 'pkcs1', format: 'der' });
    const key = derElement(tags.sequence, derInteger(0), pss, derElement(tags.octetString, rsaKey));
    const { RSA_PKCS1_PSS_PADDING: padding } = constants;
    const signature = sign('sha256', tbs, { key, format: 'der', type: 'pkcs8', padding, saltLength: 20 });
    const issuers = [parseCertificate(rsa.issuing.der)];
    const crl = derElement(tags.sequence, tbs, pss, bits(signature));
    expect(readCrl({ bytes: Uint8Array.from(crl), issuers })).toMatchObject({ ok: true });
    signature[5] = (signature[5] as number) ^ 1;
    const changed = derElement(tags.sequence, tbs, pss, bits(signature));
    expect(readCrl({ bytes: Uint8Array.from(changed), issuers })).toMatchObject({ problem: 'bad_signature' });
  });
});

const pointed = (url: string) =>
  issueCertificate({
    ...{ subject: { CN: 'x' }, issuer: pki.issuing, notBefore: now - day, notAfter: now + day },
    extensions: [
      {
        oid: '2.5.29.31',
        value: derElement(
          tags.sequence,
          derElement(tags.sequence, derElement(0xa0, derElement(0xa0, derElement(0x86, Buffer.from(url))))),
        ),
      },
    ],
  });

/** The CRL with other bytes at `at` of the TBSCertList (0: before its fields), signed again. */
function resign(der: Buffer, at: number, bytes: Uint8Array, replaced = 0): Buffer {
  const { fields: before, at: start } = fieldsOf(der);
  const from = at === 0 ? 0 : at - start;
  const fields = Buffer.concat([before.subarray(0, from), bytes, before.subarray(from + replaced)]);
  const signed = derElement(tags.sequence, fields);
  const { privateKey } = pki.issuing;
  const algorithm = Buffer.from(AsnConvert.serialize(algorithmOf(privateKey, 'sha256', false)));
  return derElement(tags.sequence, signed, algorithm, bits(signBytes(signed, privateKey, {})));
}
