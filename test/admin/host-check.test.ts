import { expect, it } from 'vitest';
import { isAcceptedHost } from '../../src/admin/host-check.ts';

const names = ['admin.example.com'];

it.each([
  '127.0.0.1',
  '127.0.0.1:9090',
  '192.0.2.7:80',
  '[::1]',
  '[::1]:9090',
  '[2001:DB8::7]:9090',
  '[::ffff:192.0.2.7]',
  'localhost',
  'LOCALHOST:9090',
  'localhost.',
  'localhost.:9090',
  'admin.example.com',
  'Admin.Example.COM:9090',
  'admin.example.com.',
])('accepts %s', (value) => {
  expect(isAcceptedHost([value], names)).toBe(true);
});

it.each([
  'evil.example',
  'admin.example.com.evil.example',
  'xadmin.example.com',
  'example.com',
  'localhost.evil.example',
  'localhost:9090:80',
  'localhost..',
  '127.0.0.1.evil.example',
  '127.0.0.1.nip.io',
  '2130706433',
  '0x7f.0.0.1',
  '127.1',
  '0177.0.0.1',
  '::1',
  '[::1',
  '[::1]evil.example',
  '[evil.example]',
  '[fe80::1%25eth0]',
  'user@localhost',
  'localhost/',
  'localhost, evil.example',
  'localhost evil.example',
  'localhost:',
  '',
  ' ',
])('refuses %o', (value) => {
  expect(isAcceptedHost([value], names)).toBe(false);
});

it('refuses a request without a Host header, and one with several, equal ones included', () => {
  expect(isAcceptedHost([], names)).toBe(false);
  expect(isAcceptedHost(['localhost', 'evil.example'], names)).toBe(false);
  expect(isAcceptedHost(['localhost', 'localhost'], names)).toBe(false);
});
