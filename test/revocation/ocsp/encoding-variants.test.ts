/** Responses with a valid signature that OpenSSL accepts, in encodings that DER or a strict parser does not allow. */
import { execFile } from 'node:child_process';
import { constants, createHash, sign } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { AsnConvert } from '@peculiar/asn1-schema';
import { Name } from '@peculiar/asn1-x509';
import { describe, expect, it } from 'vitest';
import { algorithmOf, type Issued, issueCertificate, signBytes } from '../../../src/issuing/certificate.ts';
import { wrapResponse } from '../../../src/issuing/ocsp.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { derElement, tags } from '../../../src/pki/der-cursor.ts';
import { derInteger, derOid } from '../../../src/pki/der-writer.ts';
import { readOcspResponse } from '../../../src/revocation/ocsp/response.ts';
import { identityOf } from '../../../src/revocation/ocsp/structure.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { authority } from '../../support/pki/authority.ts';

const now = Math.floor(Date.now() / 1000) * 1000;
const minute = 60_000;
const none = Buffer.alloc(0);

const time = (at: number, more = 'Z') =>
  derElement(
    tags.generalizedTime,
    Buffer.from(new Date(at).toISOString().slice(0, 19).replaceAll(/\D/g, '') + more),
  );
const octets = (bytes: Uint8Array) => derElement(tags.octetString, bytes);
const extension = (oid: string, ...fields: Uint8Array[]) =>
  derElement(tags.sequence, derOid(oid), ...fields, octets(Buffer.of(5, 0)));
const list = (tag: number, ...items: Uint8Array[]) => derElement(tag, derElement(tags.sequence, ...items));

interface Parts {
  readonly version?: Uint8Array;
  /** The contents of byName. */
  readonly name?: Uint8Array;
  readonly producedAt?: Uint8Array;
  readonly thisUpdate?: Uint8Array;
  readonly nextUpdate?: Uint8Array;
  readonly nameHash?: Uint8Array;
  readonly serial?: Uint8Array;
  readonly status?: Uint8Array;
  readonly singleExtensions?: Uint8Array;
  readonly extensions?: Uint8Array;
  readonly certificates?: Uint8Array;
  readonly behind?: Uint8Array;
  readonly algorithm?: Uint8Array;
  readonly signature?: (data: Uint8Array) => Uint8Array;
}

const own = authority({ now });
const client = own.issueClient();
const rsa = authority({ now, key: 'rsa-2048' });
const rsaClient = rsa.issueClient();

function answer(parts: Parts, ca: Issued = own.issuing, leaf: Issued = client): Buffer {
  const { issuer, serialNumber } = identityOf(leaf);
  const sha1 = (bytes: Uint8Array) => createHash('sha1').update(bytes).digest();
  const certId = derElement(
    tags.sequence,
    derElement(tags.sequence, derOid('1.3.14.3.2.26')),
    octets(parts.nameHash ?? sha1(issuer)),
    octets(sha1(identityOf(ca).publicKey)),
    derElement(tags.integer, parts.serial ?? Buffer.from(serialNumber)),
  );
  const single = derElement(
    tags.sequence,
    certId,
    parts.status ?? Buffer.of(0x80, 0),
    parts.thisUpdate ?? time(now - minute),
    derElement(0xa0, parts.nextUpdate ?? time(now + minute)),
    parts.singleExtensions ?? none,
  );
  const data = derElement(
    tags.sequence,
    parts.version ?? none,
    derElement(0xa1, parts.name ?? identityOf(ca).subject),
    parts.producedAt ?? time(now),
    derElement(tags.sequence, single),
    parts.extensions ?? none,
  );
  const algorithm =
    parts.algorithm ?? Buffer.from(AsnConvert.serialize(algorithmOf(ca.privateKey, 'sha256', false)));
  const signature = parts.signature?.(data) ?? signBytes(data, ca.privateKey, {});
  const signed = derElement(tags.bitString, Buffer.of(0), signature);
  const basic = derElement(tags.sequence, data, algorithm, signed, parts.certificates ?? none);
  return Buffer.concat([wrapResponse(basic), parts.behind ?? none]);
}

const printable = (() => {
  const attribute = (oid: string, text: string) =>
    derElement(tags.set, derElement(tags.sequence, derOid(oid), derElement(0x13, Buffer.from(text))));
  return (values: readonly (readonly [string, string])[]) =>
    derElement(tags.sequence, ...values.map(([oid, text]) => attribute(oid, text)));
})();
/** The issuing CA's name, as UTF8String. */
const printableName = printable([
  ['2.5.4.6', 'GB'],
  ['2.5.4.10', 'EXAMPLE  Limited'],
  ['2.5.4.11', 'Example Directory'],
  ['2.5.4.3', 'example issuing CA'],
]);

const sha256 = derElement(tags.sequence, derOid('2.16.840.1.101.3.4.2.1'), Buffer.of(5, 0));
const sha1 = derElement(tags.sequence, derOid('1.3.14.3.2.26'), Buffer.of(5, 0));
function pss(mask: Uint8Array, salt: number): Uint8Array {
  const mgf1 = derElement(tags.sequence, derOid('1.2.840.113549.1.1.8'), mask);
  const parameters = derElement(
    tags.sequence,
    derElement(0xa0, sha256),
    derElement(0xa1, mgf1),
    derElement(0xa2, derInteger(salt)),
  );
  return derElement(tags.sequence, derOid('1.2.840.113549.1.1.10'), parameters);
}

const readBy = (bytes: Uint8Array, ca: Issued = own.issuing, leaf: Issued = client) =>
  readOcspResponse(bytes, {
    certificate: parseCertificate(leaf.der),
    issuer: parseCertificate(ca.der),
    now,
  });

/** The output of `openssl ocsp` for it. */
async function openssl(bytes: Uint8Array, ca = own, leaf: Issued = client): Promise<string> {
  await using folder = await temporaryFolder();
  const put = (name: string, contents: string | Uint8Array) => writeFile(join(folder.path, name), contents);
  await put('answer.der', bytes);
  await put('root.pem', ca.root.pem);
  await put('ca.pem', ca.issuing.pem);
  await put('leaf.pem', leaf.pem);
  const flags = '-respin answer.der -issuer ca.pem -cert leaf.pem -CAfile root.pem -no_nonce';
  const { stdout, stderr } = await promisify(execFile)('openssl', ['ocsp', ...flags.split(' ')], {
    cwd: folder.path,
  });
  return `${stderr}${stdout}`;
}

const odd: [string, Parts][] = [
  ['version v1 written out', { version: derElement(0xa0, derInteger(0)) }],
  [
    'critical FALSE written out',
    { extensions: list(0xa1, extension('1.3.6.1.5.5.7.48.1.2', Buffer.of(1, 1, 0))) },
  ],
  ['empty certs', { certificates: list(0xa0) }],
  ['empty responseExtensions', { extensions: list(0xa1) }],
  ['empty singleExtensions', { singleExtensions: list(0xa1) }],
  ['a fraction of a second in producedAt', { producedAt: time(now, '.1234567Z') }],
  ['a fraction of zero in producedAt', { producedAt: time(now, '.0Z') }],
  ['the responder’s name in another string type, case and spacing', { name: printableName }],
];

describe('a response is accepted', () => {
  it.each(odd)('with %s, as by OpenSSL', async (_, parts) => {
    const good = answer(parts);
    expect(readBy(good)).toMatchObject({ ok: true, answer: { status: 'good', thisUpdate: now - minute } });
    const said = await openssl(good);
    expect(said).toContain('Response verify OK');
    expect(said).toContain('leaf.pem: good');
    const revoked = derElement(0xa1, time(now - minute));
    expect(readBy(answer({ ...parts, status: revoked }))).toMatchObject({
      answer: { status: 'revoked', revokedAt: now - minute },
    });
  });

  it('with times that have fractions, a time zone or no seconds', () => {
    const parts = { thisUpdate: time(now - minute, '.5Z'), nextUpdate: time(now + minute, '+0000') };
    expect(readBy(answer(parts))).toMatchObject({
      answer: { thisUpdate: now - minute, nextUpdate: now + minute },
    });
  });

  it('with lengths in more octets than necessary', () => {
    const status = Buffer.concat([Buffer.of(0xa1, 0x81, 17), time(now - minute)]);
    expect(readBy(answer({ status }))).toMatchObject({ answer: { status: 'revoked' } });
  });

  it('with the issuer’s name hashed as encoded in the issuer’s own certificate', () => {
    // The CA was renewed with its name in another string type; the leaf still has the old name.
    const issuer = { ...own.issuing, subject: AsnConvert.parse(printableName, Name) };
    const { notBefore, notAfter } = parseCertificate(own.issuing.der);
    const leaf = issueCertificate({ subject: { CN: 'x' }, issuer, notBefore, notAfter });
    expect(identityOf(leaf).issuer).not.toEqual(identityOf(own.issuing).subject);
    const sha1 = (bytes: Uint8Array) => createHash('sha1').update(bytes).digest();
    const nameHash = sha1(identityOf(own.issuing).subject);
    for (const parts of [{}, { nameHash }])
      expect(readBy(answer(parts, own.issuing, leaf), own.issuing, leaf)).toMatchObject({
        answer: { status: 'good' },
      });
    const other = { nameHash: sha1(Buffer.from('another')) };
    expect(readBy(answer(other, own.issuing, leaf), own.issuing, leaf)).toMatchObject({
      problem: 'wrong_certificate',
    });
  });

  it('with a serial number that has an extra sign octet', () => {
    const serial = Buffer.concat([Buffer.of(0), Buffer.from(identityOf(client).serialNumber)]);
    expect(readBy(answer({ serial }))).toMatchObject({ answer: { status: 'good' } });
  });

  it('with a trailing line end, and with no other trailing bytes', () => {
    expect(readBy(answer({ behind: Buffer.from('\r\n') }))).toMatchObject({ ok: true });
    for (const behind of [Buffer.of(0), Buffer.from('\n0'), Buffer.alloc(17, 0x20)])
      expect(readBy(answer({ behind }))).toMatchObject({ problem: 'malformed' });
  });

  it('with extendedRevoke as a critical extension', () => {
    const extensions = list(0xa1, extension('1.3.6.1.5.5.7.48.1.9', Buffer.of(1, 1, 0xff)));
    expect(readBy(answer({ extensions }))).toMatchObject({ answer: { status: 'good' } });
  });

  it('with RSASSA-PSS of SHA-256 whose MGF1 uses SHA-1, as by OpenSSL', async () => {
    const algorithm = pss(sha1, 20);
    const signature = (data: Uint8Array) => pssSignature(data, rsa.issuing);
    const bytes = answer({ algorithm, signature }, rsa.issuing, rsaClient);
    expect(readBy(bytes, rsa.issuing, rsaClient)).toMatchObject({ answer: { status: 'good' } });
    expect(await openssl(bytes, rsa, rsaClient)).toContain('Response verify OK');
    // The parameters must be those of the signature.
    const other = answer({ algorithm: pss(sha256, 20), signature }, rsa.issuing, rsaClient);
    expect(readBy(other, rsa.issuing, rsaClient)).toMatchObject({ problem: 'bad_signature' });
    const salt = answer({ algorithm: pss(sha1, 32), signature }, rsa.issuing, rsaClient);
    expect(readBy(salt, rsa.issuing, rsaClient)).toMatchObject({ problem: 'bad_signature' });
  });
});

describe('a response is refused', () => {
  it.each(odd)('with %s, if another encoding was signed', (_, parts) => {
    // The standard encoding was signed.
    let plain: Uint8Array = none;
    answer({ signature: (data) => (plain = data) });
    const signature = () => signBytes(plain, own.issuing.privateKey, {});
    expect(readBy(answer({ signature }))).toMatchObject({ ok: true });
    const spelled = { ...parts, certificates: none };
    if (parts.certificates === undefined)
      expect(readBy(answer({ ...spelled, signature }))).toMatchObject({ problem: 'bad_signature' });
  });

  it.each<[string, Parts]>([
    ['an indefinite length', { status: Buffer.from('a1800000', 'hex') }],
    ['a local time', { thisUpdate: time(now, '') }],
    [
      'a time that does not exist',
      { nextUpdate: derElement(tags.generalizedTime, Buffer.from('20260231000000Z')) },
    ],
    ['a UTCTime', { producedAt: derElement(tags.utcTime, Buffer.from('260101000000Z')) }],
    ['something behind its extensions', { extensions: Buffer.concat([list(0xa1), Buffer.of(5, 0)]) }],
  ])('with %s', (_, parts) => {
    expect(readBy(answer(parts))).toMatchObject({ problem: 'malformed' });
  });
});

/** Node can sign with another hash in MGF1 only with a key that is limited to it. */
function pssSignature(data: Uint8Array, ca: Issued): Buffer {
  const parameters = pss(sha1, 20);
  const pkcs8 = derElement(
    tags.sequence,
    derInteger(0),
    parameters,
    octets(ca.privateKey.export({ type: 'pkcs1', format: 'der' })),
  );
  const { RSA_PKCS1_PSS_PADDING: padding } = constants;
  return sign('sha256', data, { key: pkcs8, format: 'der', type: 'pkcs8', padding, saltLength: 20 });
}
