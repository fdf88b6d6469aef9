/** `routes[].inFlight` and `limits.inFlightPerClient`: a message over a limit is refused before it reaches the host. */
import { expect, it } from 'vitest';
import { type Message, statusOf } from '../support/http/http.ts';
import { post } from '../support/process/client.ts';
import type { AuditRecord } from '../support/process/gateway.ts';
import { HeldAnswers } from '../support/process/held-answers.ts';
import { metricsWhen } from '../support/process/metrics.ts';
import { messageOf } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

const refused = post({ target: '/refused?never=seen', body: 'never sent' });

async function expectShed(stage: Stage, answer: Message, reason: string): Promise<AuditRecord> {
  expect(statusOf(answer)).toBe(503);
  expect(answer.field('retry-after')).toBe('1');
  expect(answer.field('connection')).toBeUndefined();
  const request_id = answer.field('x-request-id');
  expect(JSON.parse(answer.body.toString())).toEqual({ error: 'service_unavailable', request_id });
  const record = await messageOf(stage.gateway, answer);
  expect(record).toMatchObject({ outcome: 'denied', reason, status: 503, method: 'POST', path: '/refused' });
  expect(record).toMatchObject({ endpoint: null, request_bytes: 0, response_bytes: 0, upstream_ms: null });
  return record;
}

it('refuses a message over the inFlight limit of its route before the host receives it, and no message of another route', async () => {
  await using stage = await openStage({ routes: [{ path: '/', inFlight: 2 }, { path: '/other' }] });
  const held = new HeldAnswers(stage);
  await using first = await held.occupant();
  await using second = await held.occupant();
  await using client = await stage.connect();
  for (let count = 0; count < 3; count++) {
    const record = await expectShed(stage, await client.exchange(refused), 'route_in_flight');
    expect(record.route).toBe('/');
  }
  expect([stage.host.requests.length, stage.host.connectionCount]).toEqual([2, 2]);
  expect(stage.gateway.stdout).not.toContain('never');

  // The connection stays open, and another route has its own limit.
  await held.ask(client, post({ target: '/other' }));
  held.release();
  for (const each of [client, first, second]) expect(statusOf(await each.response())).toBe(200);
  await held.ask(client);
  held.release();
  expect(statusOf(await client.response())).toBe(200);
  const samples = await metricsWhen(
    stage.gateway,
    (found) => found.get('ehi_messages_shed_total{route="/",reason="route_in_flight"}') === 3,
  );
  expect(samples.get('ehi_messages_total{route="/",code="503"}')).toBe(3);
});

it('shows the messages in flight on each route in the metrics, and 0 once they have ended', async () => {
  await using stage = await openStage({ config: { relays: 2 }, routes: [{ path: '/' }, { path: '/other' }] });
  const held = new HeldAnswers(stage);
  const shown = (some: number, others: number) =>
    metricsWhen(
      stage.gateway,
      (found) =>
        found.get('ehi_route_in_flight{route="/"}') === some &&
        found.get('ehi_route_in_flight{route="/other"}') === others &&
        found.get('ehi_in_flight') === some + others,
    );
  // In whichever thread each connection is.
  const clients = await Promise.all(Array.from({ length: 8 }, () => stage.connect()));
  for (const [index, client] of clients.entries()) {
    await held.ask(client, post({ target: index < 5 ? '/' : '/other' }));
  }
  await shown(5, 3);
  held.release(2);
  await shown(3, 3);
  // A reload creates the routes again; they keep the counts of messages in flight.
  expect((await stage.reload()).event).toBe('reloaded');
  clients.push(await held.occupant());
  await shown(4, 3);
  held.release();
  await shown(0, 0);
  for (const client of clients) expect(statusOf(await client.response())).toBe(200);
  for (const client of clients) await client[Symbol.asyncDispose]();
});

it('counts the messages of each certificate over all of its connections, and no others', async () => {
  await using stage = await openStage({ config: { limits: { inFlightPerClient: 2 } } });
  const held = new HeldAnswers(stage);
  await using first = await held.occupant();
  await using second = await held.occupant();
  await using client = await stage.connect();
  const record = await expectShed(stage, await client.exchange(refused), 'client_in_flight');
  expect(record.route).toBeNull();
  // A resumed session is the same client.
  await using resumed = await stage.connect({ session: await client.session() });
  expect(resumed.socket.isSessionReused()).toBe(true);
  await expectShed(stage, await resumed.exchange(refused), 'client_in_flight');
  expect(stage.host.requests).toHaveLength(2);

  // Another certificate with the same names.
  const leaf = stage.authority.issueClient();
  await using third = await held.occupant({ leaf });
  await using fourth = await held.occupant({ leaf });
  await using other = await stage.connect();
  await expectShed(stage, await other.exchange(refused), 'client_in_flight');
  held.release(1);
  expect(statusOf(await first.response())).toBe(200);
  await held.ask(client);
  await expectShed(stage, await other.exchange(refused), 'client_in_flight');
  held.release();
  for (const each of [client, second, third, fourth]) expect(statusOf(await each.response())).toBe(200);
  await metricsWhen(
    stage.gateway,
    (found) => found.get('ehi_messages_shed_total{route="none",reason="client_in_flight"}') === 4,
  );
});

it('applies a changed limit from the next message on, and still counts messages that were in flight before', async () => {
  await using stage = await openStage({ routes: [{ path: '/', inFlight: 1 }] });
  const held = new HeldAnswers(stage);
  await using first = await held.occupant();
  await using client = await stage.connect();
  await expectShed(stage, await client.exchange(refused), 'route_in_flight');

  const routes = (inFlight: number) => [{ path: '/', upstream: stage.host.url, deadline: '30s', inFlight }];
  await stage.reload({ routes: routes(2) });
  await using second = await held.occupant();
  await expectShed(stage, await client.exchange(refused), 'route_in_flight');

  await stage.reload({ routes: routes(1) });
  held.release(1);
  expect(statusOf(await first.response())).toBe(200);
  await expectShed(stage, await client.exchange(refused), 'route_in_flight');
  held.release(1);
  expect(statusOf(await second.response())).toBe(200);
  await held.ask(client);

  await stage.reload({ routes: routes(2), limits: { inFlightPerClient: 1 } });
  await using another = await stage.connect();
  await expectShed(stage, await another.exchange(refused), 'client_in_flight');
  await stage.reload({ routes: routes(2), limits: { inFlightPerClient: 2 } });
  await held.ask(another);
  held.release();
  for (const each of [client, another]) expect(statusOf(await each.response())).toBe(200);
});
