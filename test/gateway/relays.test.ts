/** Relay threads: several share the port, and one that dies is replaced without anybody losing count. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, post } from '../support/client.ts';
import { statusOf } from '../support/http.ts';
import { metricsWhen } from '../support/metrics.ts';
import { openStage, type Stage } from '../support/stage.ts';

const killer = new URL('../support/relay-killer.ts', import.meta.url);
const allowed = 'ehi_handshakes_total{verdict="allow",reason="none"}';
const answered = 'ehi_messages_total{route="/",code="200"}';
const restarts = 'ehi_relay_thread_restarts_total';

describe.each([1, 2])('with relays: %i', (relays) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ config: { relays }, env: { NODE_OPTIONS: `--import=${killer}` } });
  });
  afterAll(() => stage[Symbol.asyncDispose]());

  /** Twenty connections, each with one exchange; connection ids begin with their thread's own prefix. */
  async function visitTwentyTimes(): Promise<{ clients: Client[]; threads: Set<string | undefined> }> {
    const clients: Client[] = [];
    const threads = new Set<string | undefined>();
    for (let count = 0; count < 20; count++) {
      const client = await stage.connect();
      clients.push(client);
      const requests = stage.host.requests.length;
      expect(statusOf(await client.exchange(post()))).toBe(200);
      threads.add((await stage.host.request(requests)).field('x-request-id')?.split('-')[0]);
    }
    return { clients, threads };
  }

  it('spreads connections, survives a thread’s death, and never counts down', async () => {
    const first = await visitTwentyTimes();
    expect(first.threads.size).toBe(relays);
    const before = await metricsWhen(
      stage.gateway,
      (samples) => samples.get('ehi_connections') === 20 && samples.get(answered) === 20,
    );
    expect(before.get(allowed)).toBe(20);
    expect(before.get(restarts)).toBe(0);

    const cut = Promise.race(first.clients.map((client) => client.rest()));
    stage.gateway.signal('SIGUSR2');
    await cut;
    const after = await metricsWhen(stage.gateway, (samples) => samples.get(restarts) === 1);
    // The dead thread's connections are gone; the others, and everything that was counted, are not.
    expect(after.get('ehi_connections')).toBeLessThan(20);
    expect(after.get(allowed)).toBe(20);
    expect(after.get(answered)).toBe(20);
    expect(stage.gateway.stderr).toContain('a relay thread died and is replaced');

    // One relay leaves the port to nobody for a moment: callers try again.
    while (!(await isServed())) expect((await stage.gateway.admin('/healthz')).status).toBe(200);
    const second = await visitTwentyTimes();
    if (relays === 1) expect([...second.threads]).not.toEqual([...first.threads]);
    const last = await metricsWhen(stage.gateway, (samples) => (samples.get(answered) ?? 0) >= 41);
    expect(last.get(allowed)).toBe(41);
    for (const client of [...first.clients, ...second.clients]) await client[Symbol.asyncDispose]();
  });

  const isServed = () =>
    stage.send(post()).then(
      (answer) => statusOf(answer) === 200,
      () => false,
    );

  it('still drains in order', async () => {
    expect(await stage.gateway.stop()).toEqual({ code: 0 });
  });
});
