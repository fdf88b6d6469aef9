/** The command that `npm run build` makes: it runs from its few files, finds what lies beside them, and names what it contains. */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/folder.ts';
import { statusOf } from '../support/http/http.ts';
import { authority } from '../support/pki/authority.ts';
import { post } from '../support/process/client.ts';
import { openStage, type Stage } from '../support/process/stage.ts';
import { issueCrl, manyRevoked } from '../support/revocation/crl.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const node = process.env.NODE_UNDER_TEST ?? process.execPath;
const run = promisify(execFile);
const opened = new AsyncDisposableStack();
const pki = authority();
const day = 86_400_000;
const from = Date.now() - 60_000;

let dist: string;
let stage: Stage;

beforeAll(async () => {
  dist = join(process.env.EHI_TEST_BUILT ?? (await build()), '..');
  stage = opened.use(await openBuilt());
});

afterAll(() => opened.disposeAsync());

/** `env`: further environment variables of the process. */
function openBuilt(env: Readonly<Record<string, string>> = {}): Promise<Stage> {
  // Too long for the thread that reads it: another one parses it.
  const { der } = manyRevoked(3000, { width: 16, at: from });
  const revocation = { crl: ['root.crl', 'issuing.crl'], ocsp: 'off', onUnknown: 'deny' };
  return openStage({
    program: join(dist, 'main.js'),
    authority: pki,
    env,
    config: {
      trust: { anchors: [{ name: 'example', files: ['anchor.pem'], revocation }], cacheDir: 'trust' },
    },
    files: {
      'root.crl': issueCrl({ issuer: pki.root, thisUpdate: from, nextUpdate: from + day }).der,
      'issuing.crl': pki.crl({ revoked: der }).der,
    },
  });
}

/** Below node_modules, where the one file of a library that is read at run time is found. */
async function build(): Promise<string> {
  const cache = join(root, 'node_modules/.cache');
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, 'built-'));
  opened.defer(() => rm(folder, { recursive: true }));
  await copyFile(join(root, 'package.json'), join(folder, 'package.json'));
  await run(process.execPath, [join(root, 'packaging/build.ts'), '--out', join(folder, 'dist')]);
  return join(folder, 'dist/main.js');
}

describe('the built command', () => {
  it('relays a message of a client whose CRL a further thread has parsed', async () => {
    expect(statusOf(await stage.send(post()))).toBe(200);
    await stage.gateway.audit(({ type }) => type === 'message');
  });

  it('serves the admin page, and each module that the page imports', async () => {
    const { page } = stage.gateway.ready.admin;
    const missing: string[] = [];
    const pending = ['/', '/assets/page.css', '/assets/uplot.css'];
    const seen = new Set(pending);
    for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
      const response = await fetch(new URL(path, page));
      if (!response.ok) missing.push(path);
      const text = await response.text();
      const imports = [...text.matchAll(/\b(?:from '|src=")([^'"]+\.js)['"]/g)].map(
        ([, specifier = '']) => specifier,
      );
      for (const target of imports.map((specifier) => new URL(specifier, new URL(path, page)).pathname)) {
        if (!seen.has(target)) pending.push(target);
        seen.add(target);
      }
    }
    expect(missing).toEqual([]);
    expect([...seen]).toEqual(expect.arrayContaining(['/assets/page.js', '/assets/uplot.js']));
  });

  it('loads other commands from files of their own', async () => {
    await using folder = await temporaryFolder();
    const command = async (...args: string[]) => {
      const { stdout } = await run(node, [join(dist, 'main.js'), ...args], { cwd: folder.path });
      return stdout;
    };
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    expect(await command('--version')).toBe(`${version}\n`);
    await command('certs', 'dev', '--out', 'certs/dev');
    expect(await command('certs', 'inspect', 'certs/dev/server.pem')).toContain('CN=');
    expect(await command('check', '--config', 'certs/dev/gateway.yaml')).not.toContain('error');
  });

  it('loads few files, none of a library, and not Node’s fetch', async () => {
    await using folder = await temporaryFolder();
    // Files and parts of Node that the gateway's threads load.
    const loads = join(folder.path, 'loads');
    await using stage = await openBuilt({
      NODE_OPTIONS: `--import=${new URL('../support/process/preload-loads.ts', import.meta.url)}`,
      EHI_TEST_LOADS: loads,
    });
    expect(statusOf(await stage.send(post()))).toBe(200);
    expect(await stage.gateway.stop()).toEqual({ code: 0 });
    const lines = (await readFile(loads, 'utf8')).split('\n');
    const files = lines.filter((line) => line.startsWith('file:'));
    const own = pathToFileURL(`${dist}/`).href;
    expect(files.filter((url) => !url.startsWith(own) && !url.endsWith('/preload-loads.ts'))).toEqual([]);
    for (const entry of ['main.js', 'thread/relay.js', 'revocation/crl/thread.js'])
      expect(files).toContain(`${own}${entry}`);
    for (const url of new Set(files.filter((each) => each.startsWith(own))))
      expect(await readFile(new URL(url), 'latin1'), url).toMatch(/^[\0-\x7f]*$/);
    // Main and relay thread; each file more is half a millisecond.
    expect(files.length).toBeLessThan(120);
    expect(lines).toContain('NativeModule http');
    expect(lines.filter((line) => line.includes('undici'))).toEqual([]);
  });

  it('contains no library without its licence, and none that the SBOM does not list', async () => {
    const notices = await readFile(join(dist, 'third-party-notices.txt'), 'utf8');
    const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'));
    const listed = Object.entries<{ version: string; dev?: true; devOptional?: true }>(lock.packages)
      .filter(([, { dev, devOptional }]) => !dev && !devOptional)
      .map(([path, { version }]) => `${path.replace(/^.*node_modules\//, '')} ${version}`);
    const sections = notices.split(/^=+\n\n/m).slice(1);
    const named = sections.map((section) => /^(\S+ \S+) \(.+\)\n\n/.exec(section)?.[1]);
    expect(named.filter((name) => name === undefined || !listed.includes(name))).toEqual([]);
    for (const section of sections) expect(section).toMatch(/licen[cs]e|permission/i);
    const { dependencies } = lock.packages[''];
    // The page's library is not bundled: the gateway sends it to browsers as its package has it.
    delete dependencies.uplot;
    for (const [name, version] of Object.entries(dependencies)) expect(named).toContain(`${name} ${version}`);
  });
});
