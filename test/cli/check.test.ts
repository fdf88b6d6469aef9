import { type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chown, copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { examineConfig } from '../../src/config/load.ts';
import { createSite, minimal, type Site } from '../config/site.ts';
import { authority } from '../support/pki/authority.ts';
import { spawnGateway } from '../support/process/gateway.ts';
import { program } from '../support/process/program.ts';

let site: Site;
beforeEach(async () => {
  site = await createSite();
});
afterEach(() => site[Symbol.asyncDispose]());

/** The least that is accepted without a warning, on ports that are free. */
const sound = {
  ...minimal,
  listen: { ...minimal.listen, address: '127.0.0.1', port: 0 },
  admin: { port: 0 },
};

interface Outcome {
  readonly code: number | null;
  /** Of stderr, without the folder. */
  readonly lines: string[];
  readonly stdout: string;
}

async function command(args: readonly string[], options: SpawnOptions = {}): Promise<Outcome> {
  const child = spawn(process.execPath, [program, ...args], {
    ...options,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout as Readable),
    text(child.stderr as Readable),
    once(child, 'exit'),
  ]);
  const plain = (said: string) => said.replaceAll(`${site.folder}/`, '');
  return { code, lines: plain(stderr).split('\n').slice(0, -1), stdout: plain(stdout) };
}

/** The real command: its exit code, and its lines on stderr. */
async function run(file: string, ...options: string[]): Promise<Omit<Outcome, 'stdout'>> {
  const { code, lines } = await command(['check', '--config', file, ...options]);
  return { code, lines };
}

test('says that the configuration is valid in one line and exits with 0 without problems, also with --strict', async () => {
  await site.write('gateway.yaml', JSON.stringify(sound));
  const expected = {
    code: 0,
    lines: [],
    stdout: expect.stringMatching(
      /^gateway\.yaml is valid: 1 route; anchor own; server certificate CN=localhost until 20\d\d-\d\d-\d\dT[\d:]+Z; no warnings\n$/,
    ),
  };
  expect(await command(['check', '--config', site.file])).toEqual(expected);
  expect(await command(['check', '-c', site.file, '--strict'])).toEqual(expected);
});

test('summarizes routes, anchors, candidates, certificates and warnings; prints no summary with a problem', async () => {
  const rsa = authority().issueServer({ key: 'rsa-2048', subject: { CN: 'rsa.example' } });
  await site.write('rsa.pem', rsa.chainPem);
  await site.write('rsa.key', rsa.keyPem);
  const certificate = [sound.listen.certificate, { chain: 'rsa.pem', key: 'rsa.key' }];
  const config = {
    ...sound,
    listen: { ...sound.listen, certificate },
    trust: {
      anchors: [
        { name: 'own', files: ['anchor.pem'] },
        { name: 'far', preset: 'sandbox' },
      ],
      candidates: [{ name: 'next', files: ['anchor.pem'] }],
    },
    routes: [...sound.routes, { path: '/b', upstream: 'http://127.0.0.1:8080' }],
  };
  await site.write('gateway.yaml', JSON.stringify(config));
  const { stdout, code } = await command(['check', '--config', site.file]);
  expect(stdout).toMatch(
    /^gateway\.yaml is valid: 2 routes; anchors own, far; candidates next; server certificate CN=localhost until \S+; server certificate CN=rsa\.example until \S+; 1 warning\n$/,
  );
  expect(code).toBe(0);
  await site.write('gateway.yaml', JSON.stringify({ ...config, speed: 1 }));
  expect(await command(['check', '--config', site.file])).toMatchObject({ code: 78, stdout: '' });
});

describe('refuses what run refuses, with the same messages', () => {
  test.each<[string, object, RegExp]>([
    [
      'an audit file whose folder does not exist',
      { audit: { destination: 'absent/audit.log' } },
      /^gateway\.yaml:1:\d+: audit\.destination: found .*its folder does not exist; allowed stdout, stderr or a file/,
    ],
    [
      'an audit file that is a folder',
      { audit: { destination: '.' } },
      /^gateway\.yaml:1:\d+: audit\.destination: found .* is a folder; /,
    ],
    [
      'a device that is to be rotated',
      { audit: { destination: '/dev/null', rotate: {} } },
      /^gateway\.yaml:1:\d+: audit\.rotate: found \/dev\/null, which is a pipe or a device; allowed rotate beside a regular file/,
    ],
    [
      'stdout that is to be rotated',
      { audit: { rotate: {} } },
      /^gateway\.yaml:1:\d+: audit\.rotate: found the rotation of stdout; allowed rotate beside an audit\.destination that is a file/,
    ],
    [
      'a key of the seals that does not exist',
      { audit: { seal: { key: 'absent.key' } } },
      /^gateway\.yaml:1:\d+: audit\.seal\.key: found .*absent\.key that cannot be read \(ENOENT\); allowed a PEM file with an Ed25519 private key/,
    ],
    [
      'one port for both listeners',
      { listen: { ...sound.listen, port: 9443 }, admin: { port: 9443 } },
      /^gateway\.yaml:1:\d+: admin\.port: found the port 9443 for both listen and admin; /,
    ],
    [
      'an address that this machine does not have',
      { listen: { ...sound.listen, address: '192.0.2.1' } },
      /^gateway\.yaml:1:\d+: listen\.address: found 192\.0\.2\.1:0, an address that this machine does not have \(EADDRNOTAVAIL\); /,
    ],
    [
      'the same of the admin port',
      { admin: { address: '2001:db8::1', port: 0 } },
      /^gateway\.yaml:1:\d+: admin\.address: found \[2001:db8::1\]:0, an address /,
    ],
  ])('%s', async (_, change, line) => {
    await site.write('gateway.yaml', JSON.stringify({ ...sound, ...change }));
    const checked = await command(['check', '--config', site.file]);
    expect(checked).toMatchObject({ code: 78, stdout: '', lines: [expect.stringMatching(line)] });
    const started = await command(['run', '--config', site.file]);
    // A socket is refused with a code of its own, since the machine may have the address a moment later.
    expect(started.code).toBe(/an address /.test(String(line)) ? 70 : 78);
    const said = started.lines.map((each) => (each.startsWith('{') ? JSON.parse(each).msg : each));
    expect(said.map((each: string) => each.replaceAll(`${site.folder}/`, ''))).toEqual(checked.lines);
    expect(started.stdout).not.toContain('"type":"ready"');
  });

  test('a port that this user may not open', async ({ skip }) => {
    // The kernel asks root for nothing.
    const uid = process.getuid?.() === 0 ? 65534 : undefined;
    const names = ['gateway.yaml', 'server.pem', 'server.key', 'anchor.pem'];
    const listen = { ...sound.listen, port: 443 };
    await site.write('gateway.yaml', JSON.stringify({ ...sound, listen }));
    if (uid !== undefined)
      for (const path of [site.folder, ...names.map((name) => join(site.folder, name))])
        await chown(path, uid, uid);
    const user = uid === undefined ? {} : { uid, gid: uid };
    // Another user may not be let into the folder that this repository lies in.
    if (spawnSync(process.execPath, [program, '--version'], user).status !== 0) skip();
    const says =
      /^gateway\.yaml:1:\d+: listen\.port: found 127\.0\.0\.1:443, a port that this user may not open \(EACCES\)/;
    for (const [name, expected] of [
      ['check', 78],
      ['run', 70],
    ] as const) {
      const { code, lines } = await command([name, '--config', site.file], user);
      expect({ name, code }).toEqual({ name, code: expected });
      const said = lines.map((each) => (each.startsWith('{') ? JSON.parse(each).msg : each));
      expect(said.at(-1)?.replaceAll(`${site.folder}/`, '')).toMatch(says);
    }
  });

  test('NODE_TLS_REJECT_UNAUTHORIZED=0', async () => {
    await site.write('gateway.yaml', JSON.stringify(sound));
    const env = { ...process.env, NODE_TLS_REJECT_UNAUTHORIZED: '0' };
    for (const name of ['check', 'run']) {
      const { code, lines } = await command([name, '--config', site.file], { env });
      expect(code).toBe(78);
      expect(lines.at(-1)).toMatch(/^environment:1:1: NODE_TLS_REJECT_UNAUTHORIZED: found 0/);
    }
  });
});

test('changes nothing on the machine: no audit file, no folder', async () => {
  const trust = { ...sound.trust, cacheDir: 'kept/trust' };
  await site.write('gateway.yaml', JSON.stringify({ ...sound, trust, audit: { destination: 'audit.log' } }));
  const before = await readdir(site.folder);
  expect((await run(site.file)).code).toBe(0);
  expect(await readdir(site.folder)).toEqual(before);
});

test('a port in use is a warning, which --strict ignores, because a running gateway uses its own port', async () => {
  const pki = authority();
  const server = pki.issueServer();
  await using gateway = await spawnGateway({
    config: { ...minimal, trust: { ...minimal.trust, cacheDir: 'trust' } },
    files: { 'server.pem': server.chainPem, 'server.key': server.keyPem, 'anchor.pem': pki.anchorPem },
  });
  const { listen, admin } = await gateway.whenReady();
  const config = { ...sound, listen: { ...sound.listen, port: listen.port }, admin: { port: admin.port } };
  await site.write('gateway.yaml', JSON.stringify(config));
  for (const options of [[], ['--strict']]) {
    const { code, lines } = await run(site.file, ...options);
    expect(lines).toEqual([
      expect.stringMatching(
        /^gateway\.yaml:1:\d+: listen\.port: found 127\.0\.0\.1:\d+, which is in use by another program, or by this gateway if it is running \(EADDRINUSE\); allowed a port that is free when the gateway starts \(warning\)$/,
      ),
      expect.stringMatching(/^gateway\.yaml:1:\d+: admin\.port: found .*EADDRINUSE.* \(warning\)$/),
    ]);
    expect(code).toBe(0);
  }
  // The one that runs has not noticed.
  expect((await fetch(`http://127.0.0.1:${admin.port}/readyz`)).status).toBe(200);
});

test('a cache folder that cannot be written is a warning, and --elsewhere skips the checks of this machine', async () => {
  const trust = { ...sound.trust, cacheDir: '/dev/null/trust' };
  const config = { ...sound, trust, audit: { destination: 'absent/audit.log' } };
  await site.write('gateway.yaml', JSON.stringify(config));
  expect((await run(site.file)).lines).toEqual([
    expect.stringMatching(/audit\.destination: found .*its folder does not exist/),
    expect.stringMatching(/trust\.cacheDir: found \/dev\/null\/trust, which cannot be written \(ENOTDIR\)/),
  ]);
  expect(await run(site.file, '--elsewhere')).toEqual({ code: 0, lines: [] });
});

test('a folder of the copy of the last seal that cannot be written is a warning, unless the audit is no file', async () => {
  const check = async (audit: object) => {
    await site.write('gateway.yaml', JSON.stringify({ ...sound, audit }));
    return (await run(site.file)).lines;
  };
  const seal = { copy: '/dev/null/seal/last' };
  expect(await check({ destination: 'audit.log', seal })).toEqual([
    expect.stringMatching(
      /audit\.seal\.copy: found \/dev\/null\/seal\/last, whose folder cannot be written \(ENOTDIR\)/,
    ),
  ]);
  expect(await check({ destination: 'stdout', seal })).toEqual([]);
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

test('exits with 0 for warnings, and with 78 with --strict', async () => {
  await site.write('gateway.yaml', JSON.stringify({ ...sound, clients: { match: { commonName: 'a' } } }));
  const { code, lines } = await run(site.file);
  expect(code).toBe(0);
  expect(lines).toHaveLength(1);
  expect(await run(site.file, '--strict')).toEqual({ code: 78, lines });
});

test('exits with 78 for a missing file of an anchor, and names its path', async () => {
  const trust = { anchors: [{ name: 'own', files: ['absent.pem'] }] };
  await site.write('gateway.yaml', JSON.stringify({ ...minimal, trust }));
  const { code, lines } = await run(site.file);
  expect(code).toBe(78);
  expect(lines).toEqual([
    expect.stringMatching(/^gateway\.yaml:1:\d+: trust\.anchors\[0\]\.files\[0\]: found /),
  ]);
});

test('exits with 78 for a missing configuration file', async () => {
  const { code, lines } = await run(join(site.folder, 'absent.yaml'));
  expect(code).toBe(78);
  expect(lines).toEqual([
    'absent.yaml:1:1: (document): found a file that cannot be read (ENOENT); allowed a YAML file in UTF-8 that can be read',
  ]);
});

test('accepts config/example.yaml with a server certificate, and warns that its anchor has no pin', async () => {
  const server = authority().issueServer();
  await mkdir(join(site.folder, 'certs'));
  await mkdir(join(site.folder, 'config'));
  const file = join(site.folder, 'config/example.yaml');
  await writeFile(join(site.folder, 'certs/server.pem'), server.chainPem);
  await writeFile(join(site.folder, 'certs/server.key'), server.keyPem, { mode: 0o600 });
  await copyFile(new URL('../../config/example.yaml', import.meta.url), file);

  // Another program may have the default ports here.
  const { code, lines } = await run(file, '--elsewhere');
  expect(lines).toEqual([
    expect.stringMatching(/^config\/example\.yaml:\d+:7: trust\.anchors\[0\]: found no rootSha256/),
  ]);
  expect(code).toBe(0);

  // What it shows as defaults are the defaults.
  await site.write('gateway.yaml', JSON.stringify(minimal));
  const [{ loaded: shown }, { loaded: given }] = await Promise.all([
    examineConfig(file),
    examineConfig(site.file),
  ]);
  if (shown === null || given === null) throw new Error('the configuration is not valid');
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
