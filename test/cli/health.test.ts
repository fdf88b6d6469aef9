/** The real command, against the real gateway and against what is none. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/folder.ts';
import { post } from '../support/process/client.ts';
import { acknowledgement } from '../support/process/host.ts';
import { listenOnLoopback } from '../support/process/listening.ts';
import { program } from '../support/process/program.ts';
import { openStage } from '../support/process/stage.ts';

/** Exit code and output. */
async function health(...options: string[]) {
  const child = spawn(process.execPath, [program, 'health', ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { code, stdout, stderr };
}

/** A configuration with this text alone. */
async function fileOf(content: string) {
  const folder = await temporaryFolder();
  const file = join(folder.path, 'gateway.yaml');
  await writeFile(file, content);
  return {
    file,
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

describe('a running gateway', () => {
  it('is healthy and ready, by its URL and by its configuration', async () => {
    await using stage = await openStage({ config: { admin: { address: '0.0.0.0' } } });
    const url = `http://127.0.0.1:${stage.gateway.ready.admin.port}`;
    expect(await health('--url', url)).toEqual({ code: 0, stdout: '200 ok\n', stderr: '' });
    const ready = { code: 0, stdout: '200 {"ready":true,"reasons":[]}\n', stderr: '' };
    expect(await health('--url', `${url}/`, '--ready')).toEqual(ready);
    // Everything but `admin` may be wrong in the file by now.
    await using config = await fileOf(
      `admin: { address: 0.0.0.0, port: ${stage.gateway.ready.admin.port} }\nlisten: 1\n`,
    );
    expect(await health('--config', config.file, '--ready')).toEqual(ready);
  });

  it('is alive and not ready while it drains', async () => {
    const held: (() => void)[] = [];
    const answer = (_request: unknown, socket: Socket) => {
      held.push(() => socket.write(acknowledgement));
      return null;
    };
    await using stage = await openStage({ host: { answer } });
    await using busy = await stage.connect();
    busy.write(post());
    await stage.host.request(0);
    const url = `http://127.0.0.1:${stage.gateway.ready.admin.port}`;
    stage.gateway.signal('SIGTERM');
    while ((await stage.gateway.admin('/readyz')).status === 200);
    expect(await health('--url', url)).toMatchObject({ code: 0 });
    const stderr = '503 {"ready":false,"reasons":["draining"]}\n';
    expect(await health('--url', url, '--ready')).toEqual({ code: 1, stdout: '', stderr });
    for (const release of held) release();
    await stage.gateway.exited();
    expect(await health('--url', url)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^.*ECONNREFUSED.*\n$/),
    });
  });
});

describe('a server that is not ehi-gateway', () => {
  it('is unhealthy if it never responds', async () => {
    await using silent = await listenOnLoopback(createServer(() => {}));
    const stderr = 'no response within 2000 ms\n';
    expect(await health('--url', `http://127.0.0.1:${silent.port}`)).toEqual({ code: 1, stdout: '', stderr });
  });

  it('is unhealthy if its response does not end', async () => {
    const endless = createServer((_request, response) => {
      const more = () => {
        while (response.write('x'.repeat(1024)));
      };
      response.on('drain', more);
      more();
    });
    await using server = await listenOnLoopback(endless);
    const stderr = 'the server is not ehi-gateway: its response is too long\n';
    expect(await health('--url', `http://127.0.0.1:${server.port}`)).toEqual({ code: 1, stdout: '', stderr });
  });
});

describe('the URL of the admin port', () => {
  it.each(['', '--url https://127.0.0.1:9090', '--url http://127.0.0.1:9090/healthz', '--url nothing'])(
    'must be an origin: found %j',
    async (options) => {
      const stderr = 'health needs --config FILE, or --url http://HOST:PORT without a path\n';
      expect(await health(...options.split(' ').filter(Boolean))).toEqual({ code: 64, stdout: '', stderr });
    },
  );

  it.each([
    [
      'admin: { port: 0 }',
      /gateway\.yaml:1:16: admin\.port: found 0; allowed a fixed port, which can be connected to\n$/,
    ],
    [
      'admin: { port: x }',
      /gateway\.yaml:1:16: admin\.port: found .*; allowed a whole number from 0 to 65535\n$/,
    ],
    ['admin: [', /gateway\.yaml:1:\d+: \(document\): found a \[ or \{ that is not closed .*\n$/],
  ])('is reported with its position if the configuration lacks it: %s', async (content, problem) => {
    await using config = await fileOf(content);
    const { code, stderr } = await health('--config', config.file);
    expect(code).toBe(1);
    expect(stderr).toMatch(problem);
    expect(stderr.match(/\n/g)).toHaveLength(1);
  });
});
