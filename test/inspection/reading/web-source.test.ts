/** Which URL means a server, and which a file. */
import { expect, it } from 'vitest';
import { UsageError } from '../../../src/errors.ts';
import { webSourceOf } from '../../../src/inspection/reading/web-source.ts';

it.each([
  ['https://gateway.example', { kind: 'server', host: 'gateway.example', port: 443 }],
  ['https://gateway.example:8443/', { kind: 'server', host: 'gateway.example', port: 8443 }],
  ['https://gateway.example/ehi', { kind: 'server', host: 'gateway.example', port: 443 }],
  ['HTTPS://[::1]:8443', { kind: 'server', host: '::1', port: 8443 }],
  ['https://pki.example/root-ca.pem', { kind: 'file', url: 'https://pki.example/root-ca.pem' }],
  ['https://pki.example/ca.CRL?x=1', { kind: 'file', url: 'https://pki.example/ca.CRL?x=1' }],
  [
    'https://id.example/.well-known/jwks.json',
    { kind: 'file', url: 'https://id.example/.well-known/jwks.json' },
  ],
  ['https://id.example/application/jwks', { kind: 'file', url: 'https://id.example/application/jwks' }],
  ['http://pki.example/', { kind: 'file', url: 'http://pki.example/' }],
  ['client.pem', null],
  ['httpsfile', null],
] as const)('%s is %j', (text, expected) => {
  expect(webSourceOf(text)).toEqual(expected);
});

it.each(['https://', 'https://user:secret@host/', 'http://:x@host/a.pem'])(
  'refuses %s without repeating a password',
  (text) => {
    expect(() => webSourceOf(text)).toThrow(UsageError);
    expect(() => webSourceOf(text)).not.toThrow(/secret/);
  },
);
