import { describe, expect, it } from 'vitest';
import { readCertificates } from '../../src/pki/pem.ts';
import { authority } from '../support/authority.ts';

const { root, issuing, anchorPem } = authority();
const read = (text: string) => readCertificates(Buffer.from(text)).map(({ der }) => der);

describe('a certificate file', () => {
  it('is one DER certificate', () => {
    expect(readCertificates(root.der).map(({ der }) => der)).toEqual([root.der]);
  });

  it('is PEM with one certificate or more, in their order', () => {
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
    ['a private key', root.keyPem, 'PEM block 1 is labelled PRIVATE KEY; only certificates are allowed'],
    ['a private key after a certificate', root.pem + root.keyPem, 'PEM block 2 is labelled PRIVATE KEY'],
    ['a trusted certificate', root.pem.replaceAll(' CERT', ' TRUSTED CERT'), 'labelled TRUSTED CERTIFICATE'],
    ['a block without an end', root.pem.replace(/-----END.*/, ''), 'PEM block 1 has no end'],
    ['a block without a begin', root.pem.replace(/-----BEGIN.*/, ''), 'PEM block 1 has no begin'],
    ['a block within a block', root.pem.replace(/-----END.*\n/, '') + issuing.pem, 'PEM block 1 has no end'],
    [
      'a broken boundary',
      `-----BEGIN CERTIFICATE----\n${root.pem}`,
      'PEM block 1 has a broken boundary line',
    ],
    ['what is not Base64', root.pem.replace('\nM', '\n*M'), 'PEM block 1 is not Base64'],
    [
      'an empty block',
      '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n',
      'PEM block 1 is not Base64',
    ],
  ])('is refused with %s', (_, text, message) => {
    expect(() => read(text)).toThrow(message);
  });

  it('is refused without a word of what a key in it says', () => {
    const secret = root.keyPem.split('\n')[1] as string;
    let message = '';
    try {
      read(`${root.pem}${secret}\n-----${secret}`);
    } catch (error) {
      message = String(error);
    }
    expect(message).toContain('PEM block 2 has a broken boundary line');
    expect(message).not.toContain(secret);
  });
});
