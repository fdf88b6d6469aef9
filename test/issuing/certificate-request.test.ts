import { expect, it } from 'vitest';
import { createRequest, type RequestKey, requestKeys } from '../../src/issuing/certificate-request.ts';
import { parseSubject } from '../../src/issuing/subject.ts';
import { makeKey } from '../../src/pki/key.ts';
import { openssl } from '../support/pki/tool.ts';

const subject = parseSubject('/C=GB/O=Example Limited/OU=7a3c-11/CN=b91d-22');

function read(pem: string): string {
  // Exits with an error if the signature is wrong.
  return openssl(['req', '-verify', '-noout', '-text', '-nameopt', 'RFC2253,show_type'], { input: pem });
}

it.each([
  ['rsa:2048', 'Public-Key: (2048 bit)', 'sha256WithRSAEncryption'],
  ['rsa:3072', 'Public-Key: (3072 bit)', 'sha256WithRSAEncryption'],
  ['rsa:4096', 'Public-Key: (4096 bit)', 'sha256WithRSAEncryption'],
  ['ec:P-256', 'NIST CURVE: P-256', 'ecdsa-with-SHA256'],
  ['ec:P-384', 'NIST CURVE: P-384', 'ecdsa-with-SHA384'],
] as const)('openssl verifies a request for %s', (kind: RequestKey, key, signature) => {
  const { kind: keyKind, hash } = requestKeys[kind];
  const text = read(createRequest({ subject, type: 'transport', key: makeKey(keyKind), hash }));
  expect(text).toContain(key);
  expect(text).toContain(`Signature Algorithm: ${signature}`);
  expect(text).toContain(
    'Subject: CN=UTF8STRING:b91d-22,OU=UTF8STRING:7a3c-11,O=UTF8STRING:Example Limited,C=PRINTABLESTRING:GB',
  );
  expect(text).toContain('Version: 1 (0x0)');
});

it.each([
  ['transport', 'rsa-2048', 'Digital Signature, Key Encipherment', true],
  ['transport', 'P-256', 'Digital Signature', true],
  ['signing', 'rsa-2048', 'Digital Signature, Non Repudiation', false],
  ['signing', 'P-256', 'Digital Signature, Non Repudiation', false],
  ['encryption', 'rsa-2048', 'Key Encipherment, Data Encipherment', false],
  ['encryption', 'P-256', 'Key Agreement', false],
] as const)('asks for the usages of %s with %s', (type, kind, usages, isClient) => {
  const text = read(createRequest({ subject, type, key: makeKey(kind), hash: 'sha256' }));
  expect(text).toMatch(new RegExp(`X509v3 Key Usage: critical\n +${usages}\n`));
  expect(text.includes('X509v3 Extended Key Usage')).toBe(isClient);
  expect(text.includes('TLS Web Client Authentication')).toBe(isClient);
});

it('asks for no extensions where the CA is to choose them', () => {
  const text = read(createRequest({ subject, type: null, key: makeKey('P-256'), hash: 'sha256' }));
  expect(text).not.toContain('X509v3');
  expect(text).toContain('Attributes:\n            (none)');
});

it('asks for the usages of a TLS server, with its names and addresses', () => {
  const hosts = ['ehi.example.com', '*.ehi.example.com', '192.0.2.7', '2001:db8::7'];
  const text = read(
    createRequest({ subject, type: 'server', hosts, key: makeKey('rsa-2048'), hash: 'sha256' }),
  );
  expect(text).toMatch(/X509v3 Key Usage: critical\n +Digital Signature, Key Encipherment\n/);
  expect(text).toMatch(/X509v3 Extended Key Usage: \n +TLS Web Server Authentication\n/);
  expect(text).toMatch(
    /X509v3 Subject Alternative Name: \n +DNS:ehi\.example\.com, DNS:\*\.ehi\.example\.com, IP Address:192\.0\.2\.7, IP Address:2001:DB8:0:0:0:0:0:7\n/,
  );
});
