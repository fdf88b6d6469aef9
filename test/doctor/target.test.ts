/** What the URL of an endpoint says, and which URLs are refused. */
import { expect, it } from 'vitest';
import { readTarget } from '../../src/doctor/target.ts';

it.each([
  ['https://ehi.example.com/ehi?a=1', { host: 'ehi.example.com', port: 443, path: '/ehi?a=1' }],
  ['ehi.example.com:8443', { host: 'ehi.example.com', port: 8443, path: '/' }],
  ['https://[2001:db8::1]:8443/', { host: '2001:db8::1', port: 8443, authority: '[2001:db8::1]:8443' }],
])('reads %s', (text, target) => {
  expect(readTarget(text)).toMatchObject(target);
});

it('sends a name as SNI and never an address', () => {
  expect(readTarget('https://ehi.example.com').servername).toBe('ehi.example.com');
  expect(readTarget('https://203.0.113.7').servername).toBeNull();
  expect(readTarget('https://[2001:db8::1]').servername).toBeNull();
});

it('uses --servername as SNI, in the Host field, and as the name that the certificate must have', () => {
  expect(readTarget('https://203.0.113.7:8443/a', 'ehi.example.com')).toMatchObject({
    host: '203.0.113.7',
    servername: 'ehi.example.com',
    expectedName: 'ehi.example.com',
    authority: 'ehi.example.com:8443',
  });
});

it.each([
  ['http://ehi.example.com/', 'allowed a URL such as https://'],
  ['', 'allowed a URL such as https://'],
  ['https://', 'allowed a URL such as https://'],
  ['https://user:hunter2@ehi.example.com/', 'user name or password'],
])('refuses %j', (text, message) => {
  expect(() => readTarget(text)).toThrow(message);
});

it('never repeats a password', () => {
  expect(() => readTarget('ftp://user:hunter2@ehi.example.com/')).toThrow(/^(?!.*hunter2)/);
});

it.each(['203.0.113.7', 'a b', '', 'ehi.example.com:8443'])('refuses --servername %j', (name) => {
  expect(() => readTarget('https://ehi.example.com', name)).toThrow('--servername');
});
