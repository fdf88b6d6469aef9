/** SIGTERM during traffic: every message that reached the host is answered, and no other message was accepted. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { echo } from '../support/numbered.ts';
import { type Client, post } from '../support/process/client.ts';
import { expectOneRecordEach } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

interface Sent {
  /** Messages that were answered on the same connection before. */
  readonly before: number;
  /** null if the connection ended without a response. */
  readonly status: number | null;
}

/** Sends messages, on each connection for as long as it lasts, until no connection is accepted. */
async function talk(stage: Stage, number: number, sent: Map<string, Sent>): Promise<void> {
  for (;;) {
    // Refused, or accepted by the kernel and closed because the gateway closed its port first.
    const client = await stage.connect().catch((error: NodeJS.ErrnoException) => error.code ?? error.message);
    if (typeof client === 'string') return expect(client).toMatch(/^(ECONNREFUSED|ECONNRESET)$/) as undefined;
    await talkOn(client, number, sent);
    await client[Symbol.asyncDispose]();
  }
}

async function talkOn(client: Client, number: number, sent: Map<string, Sent>): Promise<void> {
  for (let before = 0; ; before++) {
    const body = `${number}/${sent.size}`;
    sent.set(body, { before, status: null });
    const answer = await client.exchange(post({ body })).catch(() => null);
    if (answer === null) return expect(client.error).toBeUndefined();
    sent.set(body, { before, status: statusOf(answer) });
    expect(answer.body.toString()).toBe(body);
    if (answer.field('connection') !== 'close') continue;
    expect(await client.rest()).toHaveLength(0);
    return expect(client.error).toBeUndefined();
  }
}

it.each(['0s', '3s'])('loses no message, with timeouts.drainDelay %s', async (drainDelay) => {
  await using stage = await openStage({ named: true, config: { timeouts: { drainDelay } } });
  stage.host.options.answer = (request, socket) => {
    // So that some messages are in flight at any time.
    void sleep(request.body.length % 2 === 0 ? 0 : 20).then(() => socket.write(echo(request)));
    return null;
  };
  const sent = new Map<string, Sent>();
  const talking = Array.from({ length: 24 }, (_, number) => talk(stage, number, sent));
  await stage.host.request(400);
  stage.gateway.signal('SIGTERM');
  await Promise.all(talking);
  await expectOneRecordEach(stage.gateway);

  const received = stage.host.requests.map(({ body }) => body.toString());
  expect(new Set(received).size).toBe(received.length);
  const answered = [...sent].filter(([, { status }]) => status === 200).map(([body]) => body);
  expect(answered.sort()).toEqual(received.sort());
  const lost = [...sent.values()].filter(({ status }) => status === null);
  expect(answered.length + lost.length).toBe(sent.size);
  // A client that got `Connection: close` had time to stop: only the first message of a connection may find it closed.
  if (drainDelay !== '0s') expect(lost.filter(({ before }) => before > 0)).toEqual([]);

  const records = stage.gateway.records().filter(({ type }) => type === 'message');
  expect(records.map(({ outcome, status }) => `${outcome} ${status}`)).toEqual(
    received.map(() => 'answered 200'),
  );
  const ids = new Set(records.map(({ request_id }) => request_id));
  expect(stage.host.requests.filter((request) => !ids.has(request.field('x-request-id')))).toEqual([]);
});
