import { generateKeyPairSync } from 'node:crypto';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSite, type Site } from '../site.ts';

let site: Site;
beforeAll(async () => {
  site = await createSite();
});
afterAll(() => site[Symbol.asyncDispose]());

const pkcs8 = { type: 'pkcs8', format: 'pem' } as const;
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const pem = privateKey.export(pkcs8).toString();
const withKey = { audit: { seal: { key: 'audit.key' } } };

test('has no key without a file', async () => {
  const { loaded } = await site.examine({ audit: { seal: {} } });
  expect(loaded?.auditKey).toBeNull();
  expect(loaded?.config.audit.seal).toEqual({ interval: 1000 });
});

test('reads an Ed25519 key', async () => {
  await site.write('audit.key', pem);
  const { loaded, problems, warnings } = await site.examine(withKey);
  expect([problems, warnings]).toEqual([[], []]);
  expect(loaded?.auditKey?.equals(privateKey)).toBe(true);
});

describe('refuses, naming the file and without its content,', () => {
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export(pkcs8);
  const x25519 = generateKeyPairSync('x25519').privateKey.export(pkcs8);
  const encrypted = privateKey.export({ ...pkcs8, cipher: 'aes-256-cbc', passphrase: 'a' });
  test.each<[string, string | Buffer, RegExp]>([
    ['an EC key', ec, /a key of type ec in audit\.key/],
    ['an X25519 key', x25519, /a key of type x25519 in audit\.key/],
    ['an encrypted key', encrypted, /an encrypted key in audit\.key/],
    ['a public key', publicKey.export({ type: 'spki', format: 'pem' }), /a public key in audit\.key/],
    ['an empty file', '', /no private key, but an empty file, in audit\.key/],
    ['a damaged key', pem.replace(/M/, '?'), /no private key.* in audit\.key/],
  ])('%s', async (_, content, says) => {
    await site.write('audit.key', content);
    const [problem, ...others] = await site.problems(withKey);
    expect(problem).toMatch(/audit\.seal\.key/);
    expect(problem).toMatch(says);
    expect(problem).toContain('certs audit-key');
    expect(others).toEqual([]);
  });

  test('a file that is not there', async () => {
    const [problem] = await site.problems({ audit: { seal: { key: 'absent.key' } } });
    expect(problem).toContain('absent.key that cannot be read (ENOENT)');
  });

  test.skipIf(process.platform === 'win32')('a file that every user may read', async () => {
    await site.write('audit.key', pem);
    await chmod(join(site.folder, 'audit.key'), 0o644);
    const [problem] = await site.problems(withKey);
    await chmod(join(site.folder, 'audit.key'), 0o600);
    expect(problem).toContain('audit.key which every user of this machine may read (mode 0644)');
  });
});
