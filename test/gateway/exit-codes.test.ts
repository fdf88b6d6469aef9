/** Starts that fail: the exit code gives the kind of error, stderr its place. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { authority } from '../support/pki/authority.ts';
import { type GatewayOptions, spawnGateway } from '../support/process/gateway.ts';
import { listenOnLoopback } from '../support/process/listening.ts';
import { program } from '../support/process/program.ts';

const withoutReusePort = new URL('../support/process/preload-no-reuseport.ts', import.meta.url);
const pki = authority();
const server = pki.issueServer();
const files = { 'server.pem': server.chainPem, 'server.key': server.keyPem, 'anchor.pem': pki.anchorPem };
const config = {
  listen: { certificate: { chain: 'server.pem', key: 'server.key' } },
  trust: { anchors: [{ name: 'example', files: ['anchor.pem'] }], cacheDir: 'trust' },
  clients: { match: { organizationalUnit: 'Example organisation' } },
  routes: [{ path: '/', upstream: 'http://127.0.0.1:1' }],
};

async function fail(options: Partial<GatewayOptions>) {
  await using gateway = await spawnGateway({ files, ...options, config: { ...config, ...options.config } });
  const { code } = await gateway.exited();
  const stderr = gateway.stderr.replaceAll(`${gateway.folder}/`, '');
  return { code, stderr, lines: stderr.split('\n').slice(0, -1), stdout: gateway.stdout };
}

describe('exits with 64, usage,', () => {
  it.each([
    ['no command', []],
    ['an unknown command', ['walk']],
    ['run without --config', ['run']],
    ['--config without a file', ['run', '--config']],
    ['an unknown option', ['run', '--config', 'a.yaml', '--fast']],
    ['an argument too many', ['run', '--config', 'a.yaml', 'b.yaml']],
  ])('for %s', async (_what, args) => {
    const child = spawn(process.env.NODE_UNDER_TEST ?? process.execPath, [program, ...args]);
    const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
    expect(code).toBe(64);
    expect(stderr).not.toBe('');
  });
});

describe('exits with 69, address in use,', () => {
  it.each([1, 2])('for the listener’s port with relays: %i', async (relays) => {
    await using other = await listenOnLoopback(createServer());
    const { code, stderr, stdout } = await fail({
      config: { ...config, relays, listen: { ...config.listen, port: other.port } },
    });
    expect(stderr).toContain(`127.0.0.1:${other.port}`);
    expect(code).toBe(69);
    expect(stdout).not.toContain('"type":"ready"');
  });

  it('for the admin port', async () => {
    await using other = await listenOnLoopback(createServer());
    const { code, stderr } = await fail({ config: { ...config, admin: { port: other.port } } });
    expect(stderr).toContain(`127.0.0.1:${other.port}`);
    expect(code).toBe(69);
  });

  it('for a second gateway on the same port, although both have two relays, which share a port', async () => {
    await using first = await spawnGateway({ files, config: { ...config, relays: 2 } });
    const { listen } = await first.whenReady();
    const { code } = await fail({
      config: { ...config, relays: 2, listen: { ...config.listen, port: listen.port } },
    });
    expect(code).toBe(69);
  });
});

it('exits with 70, internal error, for an address that this machine does not have', async () => {
  const { code, stderr } = await fail({
    config: { ...config, listen: { ...config.listen, address: '192.0.2.1' } },
  });
  expect(stderr).toContain('EADDRNOTAVAIL');
  expect(code).toBe(70);
});

describe('exits with 78, configuration,', () => {
  it('for several problems, all reported with file, line and column', async () => {
    const { code, lines, stdout } = await fail({
      config: {
        ...config,
        listen: { ...config.listen, rejectWith: 'nothing' },
        clients: { allowlist: [], match: {} },
        timeouts: { head: '10 parsecs' },
        speed: 'fast',
      },
    });
    expect(lines).toEqual([
      expect.stringMatching(
        /^gateway\.yaml:\d+:\d+: listen\.rejectWith: found "nothing"; allowed http or close$/,
      ),
      expect.stringMatching(/^gateway\.yaml:\d+:\d+: clients\.allowlist: found an empty list; allowed .+$/),
      expect.stringMatching(/^gateway\.yaml:\d+:\d+: clients\.match: found .+; allowed .+$/),
      expect.stringMatching(
        /^gateway\.yaml:\d+:\d+: timeouts\.head: found "10 parsecs"; allowed a whole number and its unit .+$/,
      ),
      expect.stringMatching(/^gateway\.yaml:\d+:\d+: speed: found .+; allowed .+$/),
    ]);
    expect(code).toBe(78);
    expect(stdout).toBe('');
  });

  it('for a configuration that authorizes no specific client, and says why', async () => {
    const { code, stderr } = await fail({ config: { ...config, clients: {} } });
    expect(stderr).toContain('The chain alone proves only that the CA issued the certificate');
    expect(code).toBe(78);
  });

  it('for a key that does not belong to the certificate, and for an anchor file without a root', async () => {
    const other = pki.issueServer();
    const { code, lines } = await fail({
      files: { ...files, 'server.key': other.keyPem, 'anchor.pem': pki.issuing.pem },
    });
    expect(lines.join('\n')).toMatch(/^gateway\.yaml:\d+:\d+: listen\.certificate/m);
    expect(code).toBe(78);
  });

  it.each([
    ['root', pki.root],
    ['issuing CA', pki.issuing],
  ])('for a pin of the key of the anchor’s own %s', async (_ca, { der }) => {
    const pins = [`sha256/${parseCertificate(der).spkiPin}`];
    const { code, lines } = await fail({ config: { ...config, clients: { pins } } });
    expect(lines.at(-1)).toMatch(/^gateway\.yaml:\d+:\d+: trust\.anchors\[0\]\.files: .*names no caller/);
    expect(code).toBe(78);
  });

  it('for several relay threads on a platform where they cannot share a port', async () => {
    const { code, stderr, stdout } = await fail({
      config: { ...config, relays: 2 },
      env: { NODE_OPTIONS: `--import=${withoutReusePort}` },
    });
    expect(stderr).toMatch(
      /^gateway\.yaml:\d+:\d+: relays: found 2, and threads cannot share a port on this platform \(\w+\); allowed 1 or auto on this platform\n$/,
    );
    expect(code).toBe(78);
    expect(stdout).toBe('');
  });

  it('for an audit file that cannot be written', async () => {
    const { code, lines } = await fail({
      config: { ...config, audit: { destination: 'absent/audit.jsonl' } },
    });
    expect(lines.at(-1)).toMatch(
      /^gateway\.yaml:\d+:\d+: audit\.destination: found .*its folder does not exist/,
    );
    expect(code).toBe(78);
  });

  it('for NODE_TLS_REJECT_UNAUTHORIZED=0', async () => {
    const { code, stderr, stdout } = await fail({ env: { NODE_TLS_REJECT_UNAUTHORIZED: '0' } });
    expect(stderr).toContain('environment:1:1: NODE_TLS_REJECT_UNAUTHORIZED: found 0');
    expect({ code, stdout }).toEqual({ code: 78, stdout: '' });
  });
});
