/** A relay thread that cannot keep up accepts no new connection, and no new message on those that it has. */
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Gateway } from '../../src/gateway/gateway.ts';
import { Meter } from '../../src/telemetry/meter.ts';
import { type Message, statusOf } from '../support/http/http.ts';
import { authority } from '../support/pki/authority.ts';
import { sClient } from '../support/pki/openssl.ts';
import { type Client, connect, post } from '../support/process/client.ts';
import { endpointAt } from '../support/process/endpoint.ts';
import type { AuditRecord } from '../support/process/gateway.ts';
import { openHost } from '../support/process/host.ts';
import { answers, snapshotOf } from '../support/process/snapshot.ts';

/** A relay in this thread, with `limits.delay` of 20 ms. */
async function openRelay() {
  await using opened = new AsyncDisposableStack();
  const pki = authority();
  const records: AuditRecord[] = [];
  const meter = new Meter();
  const host = opened.use(await openHost());
  const base = snapshotOf(pki, { routes: [{ ...answers, path: '/', endpoints: [endpointAt(host.port)] }] });
  const gateway = new Gateway({
    snapshot: { ...base, limits: { ...base.limits, delay: 20 } },
    listen: { address: '127.0.0.1', port: 0, reusePort: false },
    recorder: {
      meter,
      audit: (line) => records.push(JSON.parse(line)),
      span: () => {},
      log: () => {},
      logFailure: () => {},
    },
    onUnseen: () => {},
    onQuestion: () => {},
  });
  const { port } = await gateway.listen();
  const client = { port, ca: pki.root.pem, leaf: pki.issueClient() };
  const stack = opened.move();
  return { gateway, host, records, meter, client, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Blocks this thread, and with it the relay, until it is disposed of. */
function blockThread(): Disposable {
  const burden = setInterval(() => {
    for (const until = performance.now() + 80; performance.now() < until; );
  }, 1);
  return { [Symbol.dispose]: () => clearInterval(burden) };
}

it('refuses connections and messages while the thread cannot keep up, and accepts them afterwards', async () => {
  await using relay = await openRelay();
  const { gateway, host, records, meter, client } = relay;
  await using open = await connect(client);
  let answered = 0;
  /** Sends messages until one is not answered with `status`; 0: sends one. */
  const exchangeWhile = async (status: number, connection = open): Promise<Message> => {
    for (;;) {
      const answer = await connection.exchange(post());
      if (statusOf(answer) === 200) answered++;
      if (statusOf(answer) !== status) return answer;
    }
  };

  const burden = blockThread();
  let delay = 0;
  const delayWhen = async (fits: () => boolean) => {
    for (; !fits(); await turn()) delay = meter.take()?.delay ?? delay;
  };
  await delayWhen(() => delay > 20);
  // One measurement within the limit accepts messages again: then another message is sent.
  const message = await exchangeWhile(200);
  expect([statusOf(message), message.field('retry-after')]).toEqual([503, '1']);
  let refused = false;
  while (!refused)
    refused = (await sClient({ port: client.port })).stdout.includes('no peer certificate available');
  burden[Symbol.dispose]();
  expect(records.map(({ verdict, reason }) => [verdict, reason])).toContainEqual(['deny', 'overloaded']);
  const id = message.field('x-request-id');
  const refusal = records.find(({ type, request_id }) => type === 'message' && request_id === id);
  expect(refusal).toMatchObject({ outcome: 'denied', reason: 'overloaded', status: 503 });
  const shed = {
    audit_unavailable: 0,
    overloaded: 1,
    client_in_flight: 0,
    route_in_flight: 0,
    held_bodies: 0,
  };
  expect(meter.take()?.routes).toContainEqual(expect.objectContaining({ route: 'none', shed }));

  expect(statusOf(await exchangeWhile(503))).toBe(200);
  let later: Client | null = null;
  while (later === null) later = await connect(client).catch(() => null);
  await using _ = later;
  expect(statusOf(await exchangeWhile(0, later))).toBe(200);
  await delayWhen(() => delay <= 20);
  // A refused message may be sent again: the host received nothing of it.
  expect(host.requests.length).toBe(answered);
  await open[Symbol.asyncDispose]();
  await gateway.drain();
});
