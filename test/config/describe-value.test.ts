import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSite, minimal, type Site } from './site.ts';

let site: Site;
beforeAll(async () => {
  site = await createSite();
});
afterAll(() => site[Symbol.asyncDispose]());

const problemsOf = (config: string | Record<string, unknown>) => site.problems(config);

function anchorWith(fields: object) {
  return { trust: { anchors: [{ name: 'a', files: ['a.pem'], ...fields }] } };
}

describe('never repeats a secret', () => {
  test.each([
    [
      'a passphrase instead of its file',
      { listen: { certificate: { ...minimal.listen.certificate, passphraseFile: 'hunter2' } } },
    ],
    [
      'the same with a line break',
      { listen: { certificate: { ...minimal.listen.certificate, passphraseFile: 'hunter2\n' } } },
    ],
    [
      'the same as a list',
      { listen: { certificate: [{ ...minimal.listen.certificate, passphraseFile: ['hunter2'] }] } },
    ],
    [
      'a secret instead of its file',
      { listen: { ...minimal.listen, resumption: { secretFile: 'hunter2' } } },
    ],
    [
      'the same with a line break',
      { listen: { ...minimal.listen, resumption: { secretFile: 'hunter2\n' } } },
    ],
    ['credentials in a CRL’s URL', anchorWith({ revocation: { crl: ['http://user:hunter2@host/'] } })],
    ['credentials in a responder’s URL', anchorWith({ revocation: { ocsp: 'http://user:hunter2@host/' } })],
    ['credentials in an upstream', { routes: [{ path: '/', upstream: 'http://user:hunter2@host' }] }],
    [
      'credentials in an anchor',
      { trust: { anchors: [{ name: 'a', urls: ['https://user:hunter2@host/'] }] } },
    ],
    ['a key under an unknown name', { password: 'hunter2' }],
    [
      'a PEM text',
      {
        listen: {
          certificate: { chain: 'server.pem', key: ['-----BEGIN', 'PRIVATE KEY-----\nhunter2\n'].join(' ') },
        },
      },
    ],
  ])('%s', async (_, config) => {
    const problems = await problemsOf(config);
    expect(problems).not.toEqual([]);
    expect(problems.join()).not.toContain('hunter2');
  });

  test('a line with a YAML error', async () => {
    const problems = await problemsOf('a: "x" hunter2\nb: [}hunter2\n"hunter2\n');
    expect(problems.join()).not.toContain('hunter2');
  });
});
