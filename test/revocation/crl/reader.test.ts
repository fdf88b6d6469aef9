import { AsnConvert } from '@peculiar/asn1-schema';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { algorithmOf, signBytes } from '../../../src/issuing/certificate.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { DerCursor, derElement, tags } from '../../../src/pki/der-cursor.ts';
import type { CrlReading, CrlSnapshot } from '../../../src/revocation/crl/crl.ts';
import { readCrl } from '../../../src/revocation/crl/reader.ts';
import { findRow, reasonAt } from '../../../src/revocation/crl/table.ts';
import { authority, type Issued } from '../../support/pki/authority.ts';
import { type CrlOptions, crlPem, manyRevoked } from '../../support/revocation/crl.ts';

const now = Date.UTC(2026, 0, 15, 12);
const pki = authority({ now });
const leaf = pki.issueClient();

const read = (bytes: Uint8Array, issuers: readonly Issued[] = [pki.root, pki.issuing]): CrlReading =>
  readCrl({ bytes: Uint8Array.from(bytes), issuers: issuers.map(({ der }) => parseCertificate(der)) });
const readIssued = (options: Partial<CrlOptions> = {}) => read(pki.crl(options).der);

function good(reading: CrlReading): CrlSnapshot {
  if (!reading.ok) throw new Error(`${reading.problem}: ${reading.detail}`);
  return reading.crl;
}

describe('a CRL', () => {
  it('has the fields of the DER', () => {
    const { der } = pki.crl({ number: 2n ** 64n, revoked: [{ serial: leaf }] });
    const issuing = parseCertificate(pki.issuing.der);
    expect(good(read(der))).toMatchObject({
      issuer: issuing.canonicalSubject,
      issuerText: issuing.subject,
      signer: { spkiPin: issuing.spkiPin },
      number: 2n ** 64n,
      baseNumber: null,
      thisUpdate: now - 60_000,
      nextUpdate: now + 86_400_000,
      scope: { extension: null, names: null, only: null, reasons: null, indirect: false },
      freshestCrl: [],
      table: { count: 1 },
    });
  });

  it('lists the revoked certificates with time and reason', () => {
    const others = [pki.issueClient(), pki.issueClient(), pki.issueClient()] as const;
    const revoked = [
      { serial: others[0], at: Date.UTC(1999, 4, 5, 6, 7, 8), reason: 'keyCompromise' },
      { serial: leaf, at: Date.UTC(2055, 0), reason: 'certificateHold' },
      { serial: others[1] },
    ] as const;
    const { table, issuer } = good(readIssued({ revoked }));
    const row = (certificate: Issued) =>
      findRow(table, parseCertificate(certificate.der).serialOctets, issuer);
    for (const { serial, ...entry } of revoked) {
      expect(table.dates[row(serial)]).toBe('at' in entry ? entry.at : now - 60_000);
      expect(reasonAt(table, row(serial))).toBe('reason' in entry ? entry.reason : 'unspecified');
    }
    expect(row(others[2])).toBe(-1);
  });

  it('may be empty, of version 1, without number and without nextUpdate', () => {
    expect(good(readIssued()).table.count).toBe(0);
    expect(good(readIssued({ version: 1, revoked: [{ serial: leaf }] }))).toMatchObject({
      number: null,
      table: { count: 1 },
    });
    expect(good(readIssued({ number: null, nextUpdate: null }))).toMatchObject({
      number: null,
      nextUpdate: null,
    });
  });

  it('has the scope of its issuing distribution point', () => {
    const scope = {
      urls: ['http://crl.example/a'],
      directory: pki.root.subject,
      only: 'ca',
      reasons: ['keyCompromise', 'cACompromise'],
      indirect: true,
    } as const;
    const crl = good(readIssued({ scope, baseNumber: 4, number: 9 }));
    expect(crl).toMatchObject({
      number: 9n,
      baseNumber: 4n,
      scope: { only: 'ca', reasons: 0b110, indirect: true },
    });
    expect(crl.scope.names).toHaveLength(2);
    expect(good(readIssued({ scope: { only: 'user' } })).scope).toMatchObject({ only: 'user', names: null });
  });

  it('applies the certificate issuer of an entry to the entries after it, in an indirect CRL', () => {
    const [a, b, c, d] = [1, 2, 3, 4].map((octet) => Uint8Array.of(octet)) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    const other = parseCertificate(pki.root.der).canonicalSubject;
    const revoked = [
      { serial: a },
      { serial: b, issuer: pki.root.subject },
      { serial: c },
      { serial: d, issuer: pki.issuing.subject },
    ];
    const { table, issuer } = good(readIssued({ revoked, scope: { indirect: true } }));
    expect([a, b, c, d].map((serial) => findRow(table, serial, issuer) >= 0)).toEqual([
      true,
      false,
      false,
      true,
    ]);
    expect([a, b, c, d].map((serial) => findRow(table, serial, other) >= 0)).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  it('counts an entry with an unknown reason as a revocation', () => {
    const reason = { oid: '2.5.29.21', value: derElement(tags.enumerated, Buffer.of(7)) };
    const { table } = good(readIssued({ revoked: [{ serial: leaf, extensions: [reason] }] }));
    expect([table.count, reasonAt(table, 0)]).toEqual([1, 'unspecified']);
  });

  it('is the same from PEM, with text around it and any line ends', () => {
    const { der, pem } = pki.crl({ revoked: [{ serial: leaf }] });
    const { sha256 } = good(read(der));
    for (const text of [pem, pem.replaceAll('\n', '\r\n'), `Certificate Revocation List:\n${pem}\n`])
      expect(good(read(Buffer.from(text))).sha256).toBe(sha256);
  });
});

describe('the signature', () => {
  it.each([
    ['rsa-2048', {}],
    ['rsa-2048', { hash: 'sha512' }],
    ['rsa-3072', { hash: 'sha384' }],
    ['rsa-2048', { pss: true }],
    ['P-256', {}],
    ['P-384', { hash: 'sha384' }],
    ['P-521', { hash: 'sha512' }],
    ['ed25519', {}],
  ] as const)('of a key of kind %s holds with %o', (key, options) => {
    const other = authority({ key, now });
    expect(read(other.crl(options).der, [other.root, other.issuing])).toMatchObject({ ok: true });
  });

  it.each([
    ['rsa-2048', { hash: 'sha1' }],
    ['rsa-2048', { hash: 'md5' }],
    ['rsa-2048', { hash: 'sha1', pss: true }],
    ['P-256', { hash: 'sha1' }],
  ] as const)('of a key of kind %s is refused as weak with %o', (key, options) => {
    const other = authority({ key, now });
    expect(read(other.crl(options).der, [other.issuing])).toMatchObject({ problem: 'weak_signature' });
  });

  it('is refused with a weak key', () => {
    const other = authority({ key: 'rsa-1024', now });
    expect(read(other.crl().der, [other.issuing])).toMatchObject({
      problem: 'wrong_issuer',
      detail: expect.stringContaining('an RSA key of 1024 bits'),
    });
  });

  it('is refused if another key made it in the same name', () => {
    expect(read(authority({ now }).crl().der)).toMatchObject({ problem: 'bad_signature' });
  });

  it('is refused if no certificate has the issuer’s name', () => {
    const otherAuthority = authority({ name: 'Elsewhere', now });
    expect(read(otherAuthority.crl().der)).toMatchObject({ problem: 'wrong_issuer' });
  });

  it('is refused if the CA may not sign CRLs', () => {
    const silent = authority({ now, issuing: { keyUsage: ['keyCertSign'] } });
    expect(read(silent.crl().der, [silent.root, silent.issuing])).toMatchObject({
      problem: 'wrong_issuer',
      detail: expect.stringContaining('its key usage lacks cRLSign'),
    });
  });

  it('is refused if the algorithm differs from the signed one', () => {
    const { privateKey } = pki.issuing;
    const { der } = pki.crl({ hash: 'sha384' });
    const cursor = new DerCursor(der);
    cursor.open(der.length);
    const tbs = cursor.element(der.length);
    const algorithm = Buffer.from(AsnConvert.serialize(algorithmOf(privateKey, 'sha256', false)));
    const signature = derElement(tags.bitString, Buffer.of(0), signBytes(tbs, privateKey, {}));
    expect(read(derElement(tags.sequence, tbs, algorithm, signature))).toEqual({
      ok: false,
      problem: 'unreadable',
      detail: 'not a CRL: the two signature algorithms differ',
    });
  });

  it('is verified with the right key of several in one name', () => {
    const other = authority({ now });
    const crl = good(read(other.crl().der, [pki.issuing, other.issuing, pki.root]));
    expect(crl.signer.spkiPin).toBe(parseCertificate(other.issuing.der).spkiPin);
  });

  it('is refused if any bit of the signed bytes or of the signature has changed', () => {
    const { der } = pki.crl({
      number: 7,
      revoked: [{ serial: leaf, reason: 'superseded' }],
      scope: { only: 'user' },
    });
    for (let bit = 0; bit < der.length * 8; bit++) {
      const changed = Buffer.from(der);
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
      const reading = read(changed);
      expect(reading.ok, `bit ${bit}`).toBe(false);
    }
  });
});

describe('a critical extension', () => {
  const value = Buffer.of(0x30, 0x00);

  it('of the CRL that is not supported makes it unusable', () => {
    expect(readIssued({ extensions: [{ oid: '1.2.3.4', critical: true, value }] })).toEqual({
      ok: false,
      problem: 'critical_extension',
      detail:
        'the CRL has the critical extension 1.2.3.4, which the gateway does not support, so the CRL must not be used (RFC 5280 §5.2)',
    });
    expect(readIssued({ extensions: [{ oid: '1.2.3.4', value }] })).toMatchObject({ ok: true });
  });

  it('of any entry that is not supported makes the CRL unusable', () => {
    const extensions = [{ oid: '2.999.1', critical: true, value }];
    expect(readIssued({ revoked: [{ serial: Uint8Array.of(1), extensions }] })).toEqual({
      ok: false,
      problem: 'critical_extension',
      detail: 'an entry has the critical extension 2.999.1',
    });
    const passedOver = [{ oid: '2.999.1', value }];
    expect(readIssued({ revoked: [{ serial: Uint8Array.of(1), extensions: passedOver }] })).toMatchObject({
      ok: true,
    });
  });
});

describe('a signed CRL is refused as unreadable with', () => {
  const number = { oid: '2.5.29.20', value: Buffer.from('020101', 'hex') };
  const entry = (hex: string) => ({ revoked: Buffer.from(hex, 'hex') });
  const time = `170d${Buffer.from('260115120000Z').toString('hex')}`;

  it.each<[string, Partial<CrlOptions>]>([
    ['an extension twice', { extensions: [number] }],
    ['a number of 65 octets', { number: 2n ** 513n }],
    ['an invalid number', { number: null, extensions: [{ ...number, value: Buffer.from('0500', 'hex') }] }],
    [
      'trailing bytes after a number',
      { number: null, extensions: [{ ...number, value: Buffer.from('02010100', 'hex') }] },
    ],
    [
      'an unknown field in its scope',
      { extensions: [{ oid: '2.5.29.28', value: Buffer.from('30038601ff', 'hex') }] },
    ],
    [
      'a scope of users only and CAs only',
      { extensions: [{ oid: '2.5.29.28', value: Buffer.from('30068101ff8201ff', 'hex') }] },
    ],
    ['nextUpdate before thisUpdate', { nextUpdate: now - 3_600_000 }],
    ['an entry without a serial', entry('30020200')],
    ['an entry whose serial number is not an INTEGER', entry(`30120101ff${time}`)],
    ['an entry that is not a SEQUENCE', entry('020101')],
    ['a truncated entry', entry(`3014020101${time}`)],
  ])('%s', (_, options) => {
    expect(readIssued(options)).toMatchObject({ problem: 'unreadable' });
  });
});

describe('bytes that are not a CRL', () => {
  const neither = 'neither DER nor PEM with an X509 CRL block';
  const notBase64 = 'a PEM block that is not Base64';

  it.each([
    ['no bytes', '', neither],
    ['an HTML page', '<!DOCTYPE html><html><body>Not found</body></html>', neither],
    ['a certificate', pki.issuing.pem, neither],
    ['two CRLs', pki.crl().pem + pki.crl().pem, 'more than one PEM block: each CRL needs a file of its own'],
    ['PEM without an END line', pki.crl().pem.replace(/-----END.*/s, ''), 'a PEM block without an END line'],
    ['PEM that is not Base64', pki.crl().pem.replace('\nM', '\n*'), notBase64],
    [
      'PEM with padding in the middle',
      '-----BEGIN X509 CRL-----\nMA==MAAA\n-----END X509 CRL-----\n',
      notBase64,
    ],
    ['PEM with truncated Base64', pki.crl().pem.replace(/.(=*)\n-----END/, '$1\n-----END'), notBase64],
    ['PEM of padding', pki.crl().pem.replace(/(.{64}\n).*(\n-----END)/s, '$1====$2'), notBase64],
  ])('are refused: %s', (_, text, detail) => {
    const says = expect.stringContaining(detail);
    expect(read(Buffer.from(text))).toEqual({ ok: false, problem: 'unreadable', detail: says });
  });

  it('are refused with an extra byte, or truncated anywhere', () => {
    const { der } = pki.crl({ revoked: [{ serial: leaf }] });
    expect(read(Buffer.concat([der, Buffer.of(0)]))).toMatchObject({ problem: 'unreadable' });
    for (let length = 0; length < der.length; length++)
      expect(read(der.subarray(0, length))).toMatchObject({ problem: 'unreadable' });
  });

  it('are refused before large fields are parsed into objects if they are not signed', () => {
    const name = derElement(tags.sequence, Buffer.alloc(100_000, 0x31));
    const huge = derElement(tags.sequence, derElement(tags.sequence, derElement(tags.sequence), name));
    expect(read(huge)).toMatchObject({ detail: expect.stringContaining('of 100005 octets') });
  });

  it('never make the reader throw', () => {
    const { der, pem } = pki.crl({
      revoked: [{ serial: leaf, reason: 'keyCompromise', issuer: pki.root.subject }],
      scope: { indirect: true, urls: ['http://crl.example'] },
    });
    const mutated = (bytes: Buffer) =>
      fc
        .array(fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 })), {
          minLength: 1,
          maxLength: 4,
        })
        .map((flips) => {
          const changed = Buffer.from(bytes);
          for (const [at, flip] of flips) changed[at] = (changed[at] as number) ^ flip;
          return changed;
        })
        .filter((changed) => !changed.equals(bytes));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), mutated(der)), (bytes) => {
        expect(read(bytes).ok).toBe(false);
      }),
      { numRuns: 3000 },
    );
    const original = good(read(der)).sha256;
    fc.assert(
      fc.property(mutated(Buffer.from(pem)), (bytes) => {
        const reading = read(bytes);
        if (reading.ok) expect(reading.crl.sha256).toBe(original);
      }),
      { numRuns: 1000 },
    );
  });
});

it('reads mutated signed entries, or refuses them as unreadable or critical', () => {
  const { der } = manyRevoked(5, { width: 16, at: now });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(der.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 }),
      (changes) => {
        const revoked = Buffer.from(der);
        for (const [at, octet] of changes) revoked[at] = octet;
        const reading = readIssued({ revoked });
        if (reading.ok) expect(reading.crl.table.count).toBeGreaterThan(0);
        else expect(['unreadable', 'critical_extension']).toContain(reading.problem);
      },
    ),
    { numRuns: 1000 },
  );
});

it('finds every entry of a large CRL', () => {
  const many = manyRevoked(20_000, { width: 20, at: now });
  const { der } = pki.crl({ revoked: many.der });
  const { table, issuer } = good(read(Buffer.from(crlPem(der))));
  expect(table).toMatchObject({ count: 20_000, width: 20 });
  for (let index = 0; index < 20_000; index++) {
    const serial = Buffer.from(many.serial(index));
    expect(findRow(table, serial, issuer)).toBeGreaterThanOrEqual(0);
    serial[19] = (serial[19] as number) ^ 1;
    expect(findRow(table, serial, issuer)).toBe(-1);
  }
});
