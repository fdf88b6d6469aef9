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

it('refuses who and what comes while all work waits, and takes in what comes afterwards', async () => {
  const pki = authority();
  const records: AuditRecord[] = [];
  const meter = new Meter();
  await using host = await openHost();
  const base = snapshotOf(pki, { routes: [{ ...answers, path: '/', endpoints: [endpointAt(host.port)] }] });
  const gateway = new Gateway({
    snapshot: { ...base, limits: { ...base.limits, delay: 20 } },
    listen: { address: '127.0.0.1', port: 0, reusePort: false },
    recorder: {
      meter,
      audit: (line) => records.push(JSON.parse(line)),
      span: () => {},
      log: () => {},
    },
    onUnseen: () => {},
  });
  const { port } = await gateway.listen();
  const client = { port, ca: pki.root.pem, leaf: pki.issueClient() };
  await using open = await connect(client);
  /** Statuses of all that was sent. */
  const statuses: number[] = [];
  const exchange = async (connection: Client): Promise<Message> => {
    const answer = await connection.exchange(post());
    statuses.push(statusOf(answer));
    return answer;
  };

  // This thread is the relay's: whoever holds it up holds up everything.
  const burden = setInterval(() => {
    for (const until = performance.now() + 80; performance.now() < until; );
  }, 1);
  let delay = 0;
  /** As each report of a relay thread's tells it, until it fits. */
  const told = async (fits: () => boolean) => {
    for (; !fits(); await turn()) delay = meter.take()?.delay ?? delay;
  };
  await told(() => delay > 20);
  // A single look that is in time lets everybody in again: then one more is asked for.
  let message = await exchange(open);
  while (statusOf(message) === 200) message = await exchange(open);
  expect([statusOf(message), message.field('retry-after')]).toEqual([503, '1']);
  let refused = false;
  while (!refused) refused = (await sClient({ port })).stdout.includes('no peer certificate available');
  clearInterval(burden);
  expect(records.map(({ verdict, reason }) => [verdict, reason])).toContainEqual(['deny', 'overloaded']);
  const id = message.field('x-request-id');
  expect(records.find(({ type, request_id }) => type === 'message' && request_id === id)).toMatchObject({
    outcome: 'denied',
    reason: 'overloaded',
    status: 503,
  });
  const shed = { audit_unavailable: 0, overloaded: 1, client_in_flight: 0, route_in_flight: 0 };
  expect(meter.take()?.routes).toContainEqual(expect.objectContaining({ route: 'none', shed }));

  let status = 503;
  while (status === 503) status = statusOf(await exchange(open));
  expect(status).toBe(200);

  for (;;) {
    const later = await connect(client).catch(() => null);
    if (later === null) continue;
    await using _ = later;
    expect(statusOf(await exchange(later))).toBe(200);
    break;
  }
  await told(() => delay <= 20);
  // Whoever was told to come again may: the host has nothing of what was refused.
  expect(host.requests.length).toBe(statuses.filter((each) => each === 200).length);
  await open[Symbol.asyncDispose]();
  await gateway.drain();
});
