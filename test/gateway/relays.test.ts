/** Relay threads: several share the port, and one that dies takes nothing with it that is not its own. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { type Client, post } from '../support/process/client.ts';
import { HeldAnswers } from '../support/process/held-answers.ts';
import { acknowledgement } from '../support/process/host.ts';
import { metricsWhen } from '../support/process/metrics.ts';
import { messageOf } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

const killer = new URL('../support/process/relay-killer.ts', import.meta.url);
const allowed = 'ehi_handshakes_total{verdict="allow",reason="none"}';
const answered = 'ehi_messages_total{route="/",code="200"}';
const restarts = 'ehi_relay_thread_restarts_total';

interface Visitor {
  readonly client: Client;
  /** Connection ids begin with their thread's own prefix. */
  readonly thread: string | undefined;
}

const threadsOf = (visitors: Visitor[]) => new Set(visitors.map(({ thread }) => thread));
const bodies = (name: string, { length }: readonly unknown[]) =>
  Array.from({ length }, (_, index) => `${name} ${index}`);

describe.each([1, 2])('with relays: %i', (relays) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ config: { relays }, env: { NODE_OPTIONS: `--import=${killer}` } });
  });
  afterAll(() => stage[Symbol.asyncDispose]());

  /** Twenty connections, each with one exchange. */
  async function visitTwentyTimes(name: string): Promise<Visitor[]> {
    const visitors: Visitor[] = [];
    for (let count = 0; count < 20; count++) {
      const client = await stage.connect();
      const requests = stage.host.requests.length;
      expect(statusOf(await client.exchange(post({ body: `${name} ${count}` })))).toBe(200);
      const id = (await stage.host.request(requests)).field('x-request-id');
      visitors.push({ client, thread: id?.split('-')[0] });
    }
    return visitors;
  }

  it('spreads connections, keeps the others’ when a thread dies, and never counts down', async () => {
    const { gateway, host } = stage;
    const first = await visitTwentyTimes('first');
    const threads = threadsOf(first);
    expect(threads.size).toBe(relays);
    // One message on each thread is under way.
    const held = new HeldAnswers(stage);
    const waiting = [...threads].map((thread) => first.find((each) => each.thread === thread) as Visitor);
    for (const [index, { client }] of waiting.entries()) {
      await held.ask(client, post({ body: `held ${index}` }));
    }
    const before = await metricsWhen(
      gateway,
      (samples) =>
        samples.get('ehi_connections') === 20 &&
        samples.get(answered) === 20 &&
        samples.get('ehi_in_flight') === relays,
    );
    expect(before.get(allowed)).toBe(20);
    expect(before.get(restarts)).toBe(0);

    const cut = Promise.race(first.map((visitor) => visitor.client.rest().then(() => visitor.thread)));
    gateway.signal('SIGUSR2');
    const dead = await cut;
    const kept = first.filter(({ thread }) => thread !== dead);
    const lost = first.filter(({ thread }) => thread === dead);
    // All of its connections end, and what was under way on them without a byte of an answer.
    for (const { client } of lost) expect(await client.rest()).toEqual(Buffer.alloc(0));
    const after = await metricsWhen(gateway, (samples) => samples.get(restarts) === 1);
    expect(after.get('ehi_connections')).toBe(kept.length);
    expect(after.get('ehi_in_flight')).toBe(relays - 1);
    expect(after.get(allowed)).toBe(20);
    expect(after.get(answered)).toBe(20);
    expect(gateway.stderr).toContain('a relay thread died and is replaced');

    // The other thread goes on with what it had, and with what is asked of it now.
    held.release();
    host.options.answer = () => acknowledgement;
    for (const { client, thread } of waiting) {
      if (thread !== dead) expect(statusOf(await client.response())).toBe(200);
    }
    for (const [index, { client }] of kept.entries()) {
      expect(statusOf(await client.exchange(post({ body: `kept ${index}` })))).toBe(200);
    }
    for (const request of host.requests) {
      if (request.field('x-request-id')?.split('-')[0] === dead) continue;
      expect(await messageOf(gateway, request)).toMatchObject({ outcome: 'answered', status: 200 });
    }

    // One relay leaves the port to nobody for a moment: callers try again.
    while (!(await isServed())) expect((await gateway.admin('/healthz')).status).toBe(200);
    const second = await visitTwentyTimes('second');
    if (relays === 1) expect([...threadsOf(second)]).not.toEqual([...threads]);
    const sum = 20 + (relays - 1) + kept.length + 1 + 20;
    const last = await metricsWhen(gateway, (samples) => (samples.get(answered) ?? 0) >= sum);
    expect(last.get(answered)).toBe(sum);
    expect(last.get(allowed)).toBe(41);
    expect(host.requests.map(({ body }) => body.toString())).toEqual([
      ...bodies('first', first),
      ...bodies('held', waiting),
      ...bodies('kept', kept),
      'served',
      ...bodies('second', second),
    ]);
    for (const { client } of [...first, ...second]) await client[Symbol.asyncDispose]();
  });

  const isServed = () =>
    stage.send(post({ body: 'served' })).then(
      (answer) => statusOf(answer) === 200,
      () => false,
    );

  it('still drains in order', async () => {
    expect(await stage.gateway.stop()).toEqual({ code: 0 });
  });
});
