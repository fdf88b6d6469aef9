/** More connections than the descriptor limit of the process: the excess is refused, the process goes on and recovers. */
import { once } from 'node:events';
import net from 'node:net';
import { expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { post } from '../support/process/client.ts';
import { readMetrics, type Samples } from '../support/process/metrics.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

const descriptors = 128;

it.each([1, 2])('recovers from more connections than descriptors with relay threads: %i', async (relays) => {
  await using stage = await openStage({ descriptors, config: { relays } });
  // An open connection is served while no new one can be accepted: serving it needs no descriptor on either side.
  await using early = await stage.connect();
  expect(statusOf(await early.exchange(post({ target: '/early' })))).toBe(200);
  const crowd = Array.from({ length: 3 * descriptors }, () => {
    const socket = net.connect({ port: stage.gateway.port, host: '127.0.0.1' });
    // A refused connection ends or is reset.
    return socket.on('error', () => {}).resume();
  });
  const closed = crowd.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
  await Promise.all(crowd.map((socket) => Promise.race([once(socket, 'connect'), once(socket, 'close')])));
  await Promise.race(closed);
  for (let message = 0; message < 5; message++) {
    expect(statusOf(await early.exchange(post({ target: '/meanwhile' })))).toBe(200);
  }
  for (const socket of crowd) socket.destroy();
  await Promise.all(closed);

  await early[Symbol.asyncDispose]();
  const samples = await whenEmpty(stage);
  expect(samples.get('ehi_relay_thread_restarts_total')).toBe(0);
  for (let visit = 0; visit < 5; visit++) {
    expect(statusOf(await stage.send(post({ target: '/afterwards' })))).toBe(200);
  }
  expect(await stage.gateway.stop()).toEqual({ code: 0 });
  // The gateway has no record of connections that the kernel did not hand to it.
  const seen = stage.gateway
    .records()
    .filter(({ type, verdict }) => type === 'handshake' && verdict === 'failed');
  expect(seen.length).toBeGreaterThan(0);
  expect(seen.length).toBeLessThan(crowd.length);
  const paths = ['/early', ...Array(5).fill('/meanwhile'), ...Array(5).fill('/afterwards')];
  const records = stage.gateway.records().filter(({ type }) => type === 'message');
  expect(records.map(({ path, outcome, status }) => [path, outcome, status])).toEqual(
    paths.map((path) => [path, 'answered', 200]),
  );
  expect(stage.host.requests.map(({ startLine }) => startLine)).toEqual(
    paths.map((path) => `POST ${path} HTTP/1.1`),
  );
});

/** The admin port needs descriptors too, so it may not answer at once. */
async function whenEmpty({ gateway }: Stage): Promise<Samples> {
  for (;;) {
    const samples = await readMetrics(gateway).catch(() => null);
    if (samples?.get('ehi_connections') === 0) return samples;
  }
}
