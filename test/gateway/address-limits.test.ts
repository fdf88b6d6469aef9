/** `limits.connectionsPerAddress` and `unfinishedHandshakesPerAddress`: one address cannot lock out the others. */
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import type { Client } from '../support/process/client.ts';
import { post } from '../support/process/client.ts';
import { expectOneRecordEach } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

const attacker = '127.0.0.2';

/** Opens a connection that sends nothing; resolves when it is established. */
async function silent({ gateway }: Stage, header = ''): Promise<Socket> {
  const options = { port: gateway.port, host: '127.0.0.1', localAddress: attacker };
  const socket = connectTcp(options).on('error', () => {});
  await once(socket, 'connect');
  if (header !== '') socket.write(header);
  return socket.resume();
}

function countOf({ gateway }: Stage, reason: string): number {
  return gateway.records().filter((record) => record.reason === reason).length;
}

/** Resolves when the audit has `count` records with this reason. */
async function refused(stage: Stage, reason: string, count: number): Promise<void> {
  while (countOf(stage, reason) < count) await stage.gateway.next(() => true);
}

async function expectServed(stage: Stage): Promise<void> {
  expect(statusOf(await stage.send(post()))).toBe(200);
}

it('serves other addresses while one address holds its maximum of unfinished handshakes', async () => {
  const limits = { unfinishedHandshakes: 40, unfinishedHandshakesPerAddress: 8 };
  await using stage = await openStage({ config: { limits } });
  const flood: Socket[] = [];
  for (let count = 0; count < 2 * 41; count++) flood.push(await silent(stage));
  await refused(stage, 'handshakes_per_address', 2 * 41 - 8);
  await expectServed(stage);
  expect(countOf(stage, 'too_many_handshakes')).toBe(0);
  expect(stage.gateway.records().find(({ reason }) => reason === 'handshakes_per_address')).toMatchObject({
    verdict: 'deny',
    source_address: attacker,
    tls_version: null,
  });

  // The address may connect again once these connections have ended.
  for (const socket of flood) socket.destroy();
  await refused(stage, 'closed_silent', 8);
  await using client = await stage.connect({ localAddress: attacker });
  expect(statusOf(await client.exchange(post()))).toBe(200);
});

it('serves other addresses while one address holds its maximum of connections, all without a certificate', async () => {
  const limits = { connections: 40, connectionsPerAddress: 8 };
  await using stage = await openStage({ config: { limits } });
  const flood: Client[] = [];
  for (let count = 0; count < 8; count++)
    flood.push(await stage.connect({ leaf: undefined, localAddress: attacker }));
  for (let count = 0; count < 41; count++) await silent(stage);
  await refused(stage, 'connections_per_address', 41);
  await expectServed(stage);
  expect(countOf(stage, 'too_many_connections')).toBe(0);
  for (const client of flood) await client[Symbol.asyncDispose]();
  await expectOneRecordEach(stage.gateway, 8 + 41 + 1);
});

it('counts by the source address in the PROXY header, and does not limit an address on the allowlist', async () => {
  const header = (source: string) => `PROXY TCP4 ${source} 192.0.2.1 50000 8443\r\n`;
  await using stage = await openStage({
    config: {
      listen: { proxyProtocol: { trusted: ['127.0.0.0/8'] } },
      clients: { allowlist: ['203.0.113.7'], refuseAt: 'http', anyCertificateOfAnchor: true },
      limits: { unfinishedHandshakesPerAddress: 2 },
    },
  });
  const flood: Socket[] = [];
  for (let count = 0; count < 6; count++) flood.push(await silent(stage, header('198.51.100.9')));
  await refused(stage, 'handshakes_per_address', 4);
  for (let count = 0; count < 6; count++) flood.push(await silent(stage, header('203.0.113.7')));
  for (const [source, status] of [
    ['198.51.100.10', 403],
    ['203.0.113.7', 200],
  ] as const) {
    await using client = await stage.connect({ socket: await silent(stage, header(source)) });
    expect(statusOf(await client.exchange(post()))).toBe(status);
  }
  expect(countOf(stage, 'handshakes_per_address')).toBe(4);
  for (const socket of flood) socket.destroy();
});

it('does not exempt an address that only a /0 range of the allowlist contains', async () => {
  await using stage = await openStage({
    config: {
      clients: { allowlist: ['0.0.0.0/0'], match: { organizationalUnit: 'Example organisation' } },
      limits: { unfinishedHandshakes: 40, unfinishedHandshakesPerAddress: 8 },
    },
  });
  for (let count = 0; count < 41; count++) await silent(stage);
  await refused(stage, 'handshakes_per_address', 41 - 8);
  await expectServed(stage);
});
