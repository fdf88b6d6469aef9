/** `limits.unfinishedHandshakes` and `limits.connections`: a flood is refused, and addresses on the allowlist are not. */
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { post } from '../support/process/client.ts';
import { metricsWhen } from '../support/process/metrics.ts';
import { expectOneRecordEach, handshakeFrom } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

const named = '203.0.113.7';
const flooder = '198.51.100.9';
const match = { organizationalUnit: 'Example organisation' };

/** A closed socket forgets its port. */
const ports = new WeakMap<Socket, number | undefined>();
const portOf = (socket: Socket) => ({ localPort: ports.get(socket) });

/** Opens a connection through a load balancer for `source`, and sends no TLS on it. */
async function silent({ gateway }: Stage, source: string): Promise<Socket> {
  const socket = connectTcp({ port: gateway.port, host: '127.0.0.1' }).on('error', () => {});
  await once(socket, 'connect');
  ports.set(socket, socket.localPort);
  socket.resume().write(`PROXY TCP4 ${source} 192.0.2.1 ${socket.localPort} 8443\r\n`);
  return socket;
}

async function expectServed(stage: Stage, source: string): Promise<void> {
  const socket = await silent(stage, source);
  await using client = await stage.connect({ socket });
  expect(statusOf(await client.exchange(post()))).toBe(200);
  socket.destroy();
}

it('refuses a flood of unfinished handshakes, and does not limit an address on the allowlist', async () => {
  await using stage = await openStage({
    config: {
      listen: { proxyProtocol: { trusted: ['127.0.0.1/32'] } },
      clients: { allowlist: [`${named}/32`], refuseAt: 'http', match },
      limits: { unfinishedHandshakes: 4 },
    },
  });
  const flood: Socket[] = [];
  for (let count = 0; count < 7; count++) flood.push(await silent(stage, flooder));
  // Which of them are refused depends on whose PROXY header is read first; how many does not.
  const open = () => flood.filter(({ closed }) => !closed);
  while (open().length > 4) await Promise.race(open().map((socket) => once(socket, 'close')));
  const waiting = open();
  for (const refused of flood.filter(({ closed }) => closed)) {
    expect(await handshakeFrom(stage.gateway, portOf(refused))).toMatchObject({
      verdict: 'deny',
      reason: 'too_many_handshakes',
      source_address: flooder,
      tls_version: null,
    });
  }
  await expectServed(stage, named);
  // The address on the allowlist has no limit.
  for (let count = 0; count < 20; count++) waiting.push(await silent(stage, named));
  await expectServed(stage, named);
  // The gateway may have read one of the headers only now, when the other address counts, too.
  expect(open().length).toBeLessThanOrEqual(4);

  // A closed connection makes room for another.
  for (const socket of waiting) socket.destroy();
  for (const socket of waiting) {
    const { reason } = await handshakeFrom(stage.gateway, portOf(socket));
    expect(['closed_silent', 'too_many_handshakes']).toContain(reason);
  }
  const late = await silent(stage, flooder);
  await using client = await stage.connect({ socket: late });
  expect(statusOf(await client.exchange(post()))).toBe(403);
  late.destroy();
  await expectOneRecordEach(stage.gateway, 7 + 20 + 3);
});

it('shows the number of unfinished handshakes of all relay threads in the metrics', async () => {
  await using stage = await openStage({ config: { relays: 2, timeouts: { handshake: '10m' } } });
  const shown = (unfinished: number, connections: number) =>
    metricsWhen(
      stage.gateway,
      (found) =>
        found.get('ehi_unfinished_handshakes') === unfinished && found.get('ehi_connections') === connections,
    );
  const waiting = Array.from({ length: 8 }, () =>
    connectTcp({ port: stage.gateway.port, host: '127.0.0.1' }).on('error', () => {}),
  );
  await shown(8, 8);
  await using _done = await stage.connect();
  await shown(8, 9);
  for (const socket of waiting.splice(0, 3)) socket.destroy();
  await shown(5, 6);
  for (const socket of waiting) socket.destroy();
  await shown(0, 1);
});

it('refuses connections beyond limits.connections until one has ended', async () => {
  await using stage = await openStage({ config: { limits: { connections: 2 } } });
  await using _first = await stage.connect();
  const second = await stage.connect();
  const third = connectTcp({ port: stage.gateway.port, host: '127.0.0.1' }).on('error', () => {});
  await once(third, 'connect');
  const record = await handshakeFrom(stage.gateway, third);
  expect(record).toMatchObject({
    verdict: 'deny',
    reason: 'too_many_connections',
    source_address: '127.0.0.1',
  });

  await second[Symbol.asyncDispose]();
  // The gateway may notice the end later: a client that is refused until then tries again.
  let served = false;
  while (!served) {
    served = await stage.send(post()).then(
      (answer) => statusOf(answer) === 200,
      () => false,
    );
  }
  await expectOneRecordEach(stage.gateway);
});

it('refuses an address that begins too many handshakes in a second, unless it is on the allowlist', async () => {
  await using stage = await openStage({
    config: {
      listen: { proxyProtocol: { trusted: ['127.0.0.1/32'] } },
      clients: { allowlist: [`${named}/32`], refuseAt: 'http', match },
      limits: { handshakeRate: 1 },
    },
  });
  // At the same time: some of them come within a second on a slow machine too.
  const flood = await Promise.all(Array.from({ length: 20 }, () => silent(stage, flooder)));
  const refused = await Promise.race(flood.map((socket) => once(socket, 'close').then(() => socket)));
  expect(await handshakeFrom(stage.gateway, portOf(refused))).toMatchObject({
    verdict: 'deny',
    reason: 'handshake_rate',
    source_address: flooder,
  });
  for (let count = 0; count < 5; count++) await expectServed(stage, named);
  for (const socket of flood) socket.destroy();
});
