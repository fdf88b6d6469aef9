import { generateKeyPairSync } from 'node:crypto';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { examineConfig } from '../../../src/config/load.ts';
import { createSite, minimal, type Site } from '../site.ts';

let site: Site;
beforeAll(async () => {
  site = await createSite();
});
afterAll(() => site[Symbol.asyncDispose]());

const here = (names: readonly string[]) => names.map((name) => join(site.folder, name)).sort();

test('lists the configuration and every file that it names, each once and without URLs', async () => {
  await site.write('secret', Buffer.alloc(32, 1));
  await site.write('fields', 'a: b');
  await site.write(
    'audit.key',
    generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }),
  );
  const { loaded, files } = await site.examine({
    listen: { certificate: minimal.listen.certificate, resumption: { secretFile: 'secret' } },
    trust: {
      cacheDir: 'cache',
      anchors: [
        {
          name: 'a',
          files: ['root.pem', 'issuing.pem'],
          revocation: { crl: ['http://h/a.crl', 'a.crl', '/b.crl'] },
        },
        { name: 'b', urls: ['https://h/b.pem'], tls: { ca: 'tls.pem' } },
      ],
      candidates: [{ name: 'c', files: ['root.pem', 'next.pem'], revocation: { crl: ['c.crl'] } }],
    },
    audit: { seal: { key: 'audit.key' } },
    tracing: { endpoint: 'https://h/v1/traces', headersFile: 'fields', tls: { ca: 'anchor.pem' } },
  });
  expect([...files.keys()].sort()).toEqual([
    '/b.crl',
    ...here([
      ...['gateway.yaml', 'server.pem', 'server.key', 'secret', 'root.pem', 'issuing.pem', 'next.pem'],
      ...['tls.pem', 'a.crl', 'c.crl', 'fields', 'anchor.pem', 'audit.key'],
    ]),
  ]);
  expect(loaded?.files).toEqual(files);
});

test('lists the file of the passphrase, though the key does not need it', async () => {
  await site.write('passphrase', 'a');
  const certificate = { ...minimal.listen.certificate, passphraseFile: 'passphrase' };
  const { files } = await site.examine({ listen: { certificate } });
  expect([...files.keys()]).toContain(join(site.folder, 'passphrase'));
});

test('lists the files of a refused configuration, because a change of one of them may mend it', async () => {
  const { files, loaded } = await site.examine({
    listen: { certificate: { chain: 'missing.pem', key: 'server.key' } },
    limits: null,
  });
  expect(loaded).toBeNull();
  expect([...files.keys()].sort()).toEqual(here(['anchor.pem', 'gateway.yaml', 'missing.pem', 'server.key']));
});

test.each([
  ['is missing', null],
  ['is no YAML', 'a: ['],
])('lists a configuration that %s', async (_, content) => {
  const file = join(site.folder, 'other.yaml');
  if (content !== null) await site.write('other.yaml', content);
  expect([...(await examineConfig(file)).files.keys()]).toEqual([file]);
});

test('lists the configuration with its absolute path', async () => {
  await site.write('gateway.yaml', stringify(minimal));
  const { files } = await examineConfig(relative(process.cwd(), site.file));
  expect([...files.keys()]).toContain(site.file);
});
