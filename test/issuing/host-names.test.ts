import { expect, it } from 'vitest';
import { isHost, serverHosts } from '../../src/issuing/host-names.ts';
import { parseSubject } from '../../src/issuing/subject.ts';

it.each([
  'ehi.example.com',
  'EHI.example',
  'localhost',
  '*.example.com',
  'xn--bcher-kva.example',
  '192.0.2.7',
  '::1',
])('takes %s', (host) => {
  expect(isHost(host)).toBe(true);
});

it.each([
  ...[
    '',
    '.',
    'a..b',
    'a.',
    '-a.example',
    'a-.example',
    'a_b.example',
    'bücher.example',
    'a.*.example',
    '*',
    'a*.example',
  ],
  ...[
    'https://a.example',
    'a.example:443',
    'a.example/',
    'a b',
    'a\n',
    '192.0.2.0/24',
    `${'a'.repeat(64)}.example`,
    `${'a.'.repeat(127)}a`,
  ],
])('refuses %j', (host) => {
  expect(isHost(host)).toBe(false);
});

it('uses the names that are given, each once, or else the CN', () => {
  const subject = parseSubject('/C=GB/CN=ehi.example.com');
  expect(serverHosts(['a.example', 'b.example', 'a.example'], subject)).toEqual(['a.example', 'b.example']);
  expect(serverHosts([], subject)).toEqual(['ehi.example.com']);
  expect(() => serverHosts([], parseSubject('/CN=Example Gateway'))).toThrow(
    '--type server: found no host name; allowed --dns NAME, or a CN that is one',
  );
  expect(() => serverHosts(['a\u001b'], subject)).toThrow('--dns: found "a\\u{1b}"; allowed a host name');
});
