import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readBundle, readCertificates } from '../../src/pki/pem.ts';
import { authority } from '../support/pki/authority.ts';

const { root, issuing, anchorPem } = authority();
const read = (text: string) => readCertificates(Buffer.from(text)).map(({ der }) => der);

describe('a certificate file', () => {
  it('may be one DER certificate', () => {
    expect(readCertificates(root.der).map(({ der }) => der)).toEqual([root.der]);
  });

  it('may be PEM with one or more certificates, which keep their order', () => {
    expect(read(root.pem)).toEqual([root.der]);
    expect(read(anchorPem)).toEqual([root.der, issuing.der]);
  });

  it('may have CRLF line ends, a byte order mark and text around the blocks', () => {
    const text = `\ufeff${root.pem}\nsubject=CN=issuing\n${issuing.pem}`.replaceAll('\n', '\r\n');
    expect(read(text)).toEqual([root.der, issuing.der]);
  });

  it.each([
    ['nothing', '', 'neither a DER certificate nor PEM'],
    ['text without a block', 'hello', 'neither a DER certificate nor PEM'],
    ['a private key', root.keyPem, 'PEM block 1 (line 1) is a private key; only certificates are allowed'],
    [
      'a private key after a certificate',
      root.pem + root.keyPem,
      /^PEM block 2 \(line 1\d\) is a private key; only certificates are allowed$/,
    ],
    [
      'a trusted certificate',
      root.pem.replaceAll(' CERT', ' TRUSTED CERT'),
      'is a certificate with OpenSSL’s own trust settings',
    ],
    ['a block without an end', root.pem.replace(/-----END.*/, ''), 'PEM block 1 (line 1) has no end'],
    [
      'a block without a begin',
      root.pem.replace(/-----BEGIN.*/, ''),
      /^PEM block 1 \(line 1\d\) has no begin$/,
    ],
    [
      'a block within a block',
      root.pem.replace(/-----END.*\n/, '') + issuing.pem,
      'PEM block 1 (line 1) has no end',
    ],
    [
      'a broken boundary',
      `-----BEGIN CERTIFICATE----\n${root.pem}`,
      'PEM block 1 (line 1) has a broken boundary line',
    ],
    ['invalid Base64', root.pem.replace('\nM', '\n*M'), 'PEM block 1 (line 1) is not Base64'],
    [
      'an empty block',
      '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n',
      'PEM block 1 (line 1) is not Base64',
    ],
  ])('is refused with %s', (_, text, message) => {
    expect(() => read(text)).toThrow(message);
  });

  it('may have separator lines of dashes between its blocks', () => {
    const line = '-'.repeat(40);
    expect(read(`${line}\nroot\n-----\n${root.pem}${line}\n${issuing.pem}`)).toEqual([root.der, issuing.der]);
  });

  const bundle = root.pem + issuing.pem;
  const lines = root.pem.split('\n').length - 1;
  const second = `PEM block 2 (line ${lines + 1})`;
  const pkcs7 = '3027 06092a864886f70d010702 a01a 3018 020101 3100 300b 06092a864886f70d010701 a000 3100';
  it.each<[string, string | Buffer, string]>([
    [
      'a byte order mark in its middle',
      `${root.pem}\ufeff${issuing.pem}`,
      `${second} a byte order mark (BOM)`,
    ],
    ['UTF-16', Buffer.from(`\ufeff${bundle}`, 'utf16le'), 'but UTF-16 text'],
    ['an empty file', '', 'but an empty file'],
    ['white space', '\n \n', 'but a file of white space only'],
    ['a web page', '<!DOCTYPE html><html>login</html>', 'but an HTML or XML page'],
    ['a gzip archive', gzipSync(bundle), 'but a gzip archive'],
    ['Base64 alone', issuing.der.toString('base64'), 'but Base64 without BEGIN and END lines'],
    ['indented PEM', bundle.replace(/^/gm, '  '), 'but PEM that is indented'],
    [
      'a PKCS#7 bundle',
      '-----BEGIN PKCS7-----\nMAA=\n',
      'PEM block 1 (line 1) is a PKCS#7 bundle: openssl pkcs7',
    ],
    ['a PKCS#7 bundle in DER', Buffer.from(pkcs7.replaceAll(' ', ''), 'hex'), 'but a PKCS#7 bundle in DER'],
    ['a PKCS#12 file', Buffer.from('30820a00020103308209c6', 'hex'), 'but a PKCS#12 (.p12, .pfx) file'],
    ['a revocation list', `${root.pem}-----BEGIN X509 CRL-----\n`, `${second} is a revocation list (CRL)`],
    ['a request', '-----BEGIN CERTIFICATE REQUEST-----\n', 'is a certificate request (CSR)'],
    ['an unknown label', '-----BEGIN SOMETHING-----\n', 'is labelled SOMETHING'],
    ['\\n written out', bundle.replaceAll('\n', '\\n'), '\\n is written out instead of a line break'],
    ['CR alone', bundle.replaceAll('\n', '\r'), 'its lines end with CR alone'],
    [
      'no line break between blocks',
      root.pem.trimEnd() + issuing.pem,
      'a line break is missing between END and BEGIN',
    ],
    ['a lower-case label', bundle.replaceAll('CERTIFICATE', 'certificate'), 'labels are upper case'],
    ['header fields', root.pem.replace('\n', '\nX-Info: a\n\n'), 'it has header fields (RFC 1421)'],
    ['two DER certificates', Buffer.concat([root.der, issuing.der]), 'bytes after the certificate'],
    [
      'another thing in its second block',
      `${root.pem}-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n`,
      `${second} not a DER certificate`,
    ],
  ])('is refused with a description of its content: %s', (_, content, message) => {
    expect(() => readCertificates(Buffer.from(content as string))).toThrow(message);
  });

  it('is refused without repeating a private key that it holds', () => {
    const secret = root.keyPem.split('\n')[1] as string;
    let message = '';
    try {
      read(`${root.pem}${secret}\n-----${secret}`);
    } catch (error) {
      message = String(error);
    }
    expect(message).toMatch(/PEM block 2 \(line 1\d\) has a broken boundary line/);
    expect(message).not.toContain(secret);
  });
});

describe('a bundle', () => {
  const text = (pem: string) => readBundle(Buffer.from(pem));

  it('skips only the block that is not Base64', () => {
    const { certificates, unreadable } = text(root.pem.replace('\nM', '\n*M') + issuing.pem);
    expect(certificates.map(({ der }) => der)).toEqual([issuing.der]);
    expect(unreadable).toEqual(['PEM block 1 (line 1) is not Base64']);
  });

  it('names the first of many unreadable blocks, and the number of the others', () => {
    const empty = '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n';
    const { certificates, unreadable } = text(empty.repeat(500) + root.pem);
    expect(certificates).toHaveLength(1);
    expect(unreadable).toHaveLength(11);
    expect(unreadable.at(-1)).toBe('490 more PEM blocks cannot be read');
    expect(() => text(empty.repeat(500))).toThrow(/line 1\).*; 490 more PEM blocks cannot be read$/);
  });
});
