import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { createSite, minimal, type Site } from '../config/site.ts';
import { authority } from '../support/authority.ts';

let site: Site;
beforeEach(async () => {
  site = await createSite();
});
afterEach(() => site[Symbol.asyncDispose]());

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** The real command: its exit code, and its lines on stderr without the folder. */
async function run(file: string, ...options: string[]): Promise<{ code: number | null; lines: string[] }> {
  const child = spawn(process.execPath, [main, 'check', '--config', file, ...options], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  return { code, lines: stderr.replaceAll(`${site.folder}/`, '').split('\n').slice(0, -1) };
}

test('says nothing and exits 0 where all is well, strictly too', async () => {
  await site.write('gateway.yaml', JSON.stringify(minimal));
  expect(await run(site.file)).toEqual({ code: 0, lines: [] });
  expect(await run(site.file, '--strict')).toEqual({ code: 0, lines: [] });
});

test('prints problems, then warnings, one line each, and exits 78', async () => {
  await site.write(
    'gateway.yaml',
    `${JSON.stringify({ ...minimal, clients: { pins: [], match: { issuer: '' } } })}\n`,
  );
  const { code, lines } = await run(site.file);
  expect(code).toBe(78);
  expect(lines).toEqual([
    expect.stringMatching(
      /^gateway\.yaml:1:\d+: clients\.pins: found an empty list; allowed a list of pins, at least one$/,
    ),
    expect.stringMatching(/^gateway\.yaml:1:\d+: clients\.match\.issuer: found an empty text; allowed /),
    expect.stringMatching(/^gateway\.yaml:1:\d+: clients: found no allowlist: .+ \(warning\)$/),
  ]);
});

test('warnings alone exit 0, and 78 with --strict', async () => {
  await site.write('gateway.yaml', JSON.stringify({ ...minimal, clients: { match: { commonName: 'a' } } }));
  const { code, lines } = await run(site.file);
  expect(code).toBe(0);
  expect(lines).toHaveLength(1);
  expect(await run(site.file, '--strict')).toEqual({ code: 78, lines });
});

test('an anchor’s file that is not there exits 78 and names the place', async () => {
  const trust = { anchors: [{ name: 'own', files: ['absent.pem'] }] };
  await site.write('gateway.yaml', JSON.stringify({ ...minimal, trust }));
  const { code, lines } = await run(site.file);
  expect(code).toBe(78);
  expect(lines).toEqual([
    expect.stringMatching(/^gateway\.yaml:1:\d+: trust\.anchors\[0\]\.files\[0\]: found /),
  ]);
});

test('a file that is not there exits 78', async () => {
  const { code, lines } = await run(join(site.folder, 'absent.yaml'));
  expect(code).toBe(78);
  expect(lines).toEqual([
    'absent.yaml:1:1: (document): found a file that cannot be read (ENOENT); allowed a YAML file in UTF-8 that can be read',
  ]);
});

test('accepts config/example.yaml beside a server certificate, and warns that its anchor has no pin', async () => {
  const server = authority().issueServer();
  await mkdir(join(site.folder, 'certs'));
  await mkdir(join(site.folder, 'config'));
  const file = join(site.folder, 'config/example.yaml');
  await writeFile(join(site.folder, 'certs/server.pem'), server.chainPem);
  await writeFile(join(site.folder, 'certs/server.key'), server.keyPem, { mode: 0o600 });
  await copyFile(new URL('../../config/example.yaml', import.meta.url), file);

  const { code, lines } = await run(file);
  expect(lines).toEqual([
    expect.stringMatching(/^config\/example\.yaml:\d+:7: trust\.anchors\[0\]: found no rootSha256/),
  ]);
  expect(code).toBe(0);

  // What it shows as defaults are the defaults.
  await site.write('gateway.yaml', JSON.stringify(minimal));
  const [shown, given] = await Promise.all([loadConfig(file), loadConfig(site.file)]);
  const { certificate: _shown, ...shownListen } = shown.config.listen;
  const { certificate: _given, ...givenListen } = given.config.listen;
  expect(shownListen).toEqual(givenListen);
  for (const key of ['limits', 'timeouts', 'relays', 'admin', 'audit'] as const) {
    expect(shown.config[key]).toEqual(given.config[key]);
  }
  expect(shown.config.trust).toMatchObject({ requirePin: false, refresh: given.config.trust.refresh });
  expect(shown.config.routes).toEqual(given.config.routes);
  expect(shown.config.trust.cacheDir).toBe(join(site.folder, 'var/trust'));
});
