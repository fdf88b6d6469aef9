/** Relay threads: several share the port, and the death of one affects only its own connections. */
import { totalmem } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readMachineResources } from '../../src/thread/machine-resources.ts';
import { countRelays, memoryNeed } from '../../src/thread/relay-count.ts';
import { statusOf } from '../support/http/http.ts';
import { type Client, post } from '../support/process/client.ts';
import { HeldAnswers } from '../support/process/held-answers.ts';
import { acknowledgement } from '../support/process/host.ts';
import { metricsWhen } from '../support/process/metrics.ts';
import { messageOf } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

const killer = new URL('../support/process/relay-killer.ts', import.meta.url);
const withoutReusePort = new URL('../support/process/preload-no-reuseport.ts', import.meta.url);
const allowed = 'ehi_handshakes_total{verdict="allow",reason="none"}';
const answered = 'ehi_messages_total{route="/",code="200"}';
const restarts = 'ehi_relay_thread_restarts_total';

interface ConnectedClient {
  readonly client: Client;
  /** Connection ids begin with their thread's own prefix. */
  readonly thread: string | undefined;
}

const threadsOf = (clients: ConnectedClient[]) => new Set(clients.map(({ thread }) => thread));
const bodies = (name: string, { length }: readonly unknown[]) =>
  Array.from({ length }, (_, index) => `${name} ${index}`);

describe.each([1, 2])('with relays: %i', (relays) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ config: { relays }, env: { NODE_OPTIONS: `--import=${killer}` } });
  });
  afterAll(() => stage[Symbol.asyncDispose]());

  /** Opens twenty connections, each with one exchange. */
  async function visitTwentyTimes(name: string): Promise<ConnectedClient[]> {
    const clients: ConnectedClient[] = [];
    for (let count = 0; count < 20; count++) {
      const client = await stage.connect();
      const requests = stage.host.requests.length;
      expect(statusOf(await client.exchange(post({ body: `${name} ${count}` })))).toBe(200);
      const id = (await stage.host.request(requests)).field('x-request-id');
      clients.push({ client, thread: id?.split('-')[0] });
    }
    return clients;
  }

  /** Sends one message on the first connection of each thread; the host does not answer it before `held.release`. */
  async function holdOnEachThread(first: ConnectedClient[]) {
    const held = new HeldAnswers(stage);
    const waiting = [...threadsOf(first)].map(
      (thread) => first.find((each) => each.thread === thread) as ConnectedClient,
    );
    for (const [index, { client }] of waiting.entries()) {
      await held.ask(client, post({ body: `held ${index}` }));
    }
    return { held, waiting };
  }

  /** Expects that connections of threads other than `dead` complete their message and carry new ones. */
  async function expectOthersServed(
    waiting: ConnectedClient[],
    kept: ConnectedClient[],
    dead: string | undefined,
  ) {
    const { gateway, host } = stage;
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
  }

  /** Ends a thread: all of its connections close, and messages in flight on them get no byte of a response. */
  async function killOneThread(first: ConnectedClient[]) {
    const cut = Promise.race(first.map((client) => client.client.rest().then(() => client.thread)));
    stage.gateway.signal('SIGUSR2');
    const dead = await cut;
    for (const { client, thread } of first) {
      if (thread === dead) expect(await client.rest()).toEqual(Buffer.alloc(0));
    }
    return { dead, kept: first.filter(({ thread }) => thread !== dead) };
  }

  it('spreads connections over threads, keeps those of other threads when one dies, and lowers no counter', async () => {
    const { gateway, host } = stage;
    const first = await visitTwentyTimes('first');
    const threads = threadsOf(first);
    expect(threads.size).toBe(relays);
    const { held, waiting } = await holdOnEachThread(first);
    const expected = { ehi_connections: 20, [answered]: 20, ehi_in_flight: relays };
    const before = await metricsWhen(gateway, (samples) =>
      Object.entries(expected).every(([name, value]) => samples.get(name) === value),
    );
    expect(before.get(allowed)).toBe(20);
    expect(before.get(restarts)).toBe(0);

    const { dead, kept } = await killOneThread(first);
    const after = await metricsWhen(gateway, (samples) => samples.get(restarts) === 1);
    expect(after.get('ehi_connections')).toBe(kept.length);
    expect(after.get('ehi_in_flight')).toBe(relays - 1);
    expect(after.get(allowed)).toBe(20);
    expect(after.get(answered)).toBe(20);
    expect(gateway.stderr).toContain('a relay thread died and is replaced');

    held.release();
    await expectOthersServed(waiting, kept, dead);

    // With one relay the port is closed for a moment: clients connect again.
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

  // It drains with code 0 after a thread has died.
  afterAll(async () => {
    expect(await stage.gateway.stop()).toEqual({ code: 0 });
  });
});

describe('by default', () => {
  it.each([
    ['as many relay threads start as the cores and the memory allow', 10_000],
    ['fewer start if a thread with all of its connections needs more memory', 1_000_000],
  ])('%s, as the ready line and the log state', async (_what, connections) => {
    const machine = await readMachineResources('127.0.0.1');
    const expected = countRelays('auto', { ...machine, connections });
    await using stage = await openStage({ config: { relays: undefined, limits: { connections } } });
    const { gateway } = stage;
    const { bound, cores, memory_mib } = await gateway.logged(({ relays }) => relays === expected.relays);
    expect({ bound, cores }).toEqual({ bound: expected.bound, cores: machine.cores });
    expect(memory_mib).toBe(Math.floor(machine.memory / 1024 / 1024));
    expect(gateway.ready.relays).toBe(expected.relays);
    expect(JSON.parse((await gateway.admin('/api/status')).body).threads).toHaveLength(expected.relays);
    const warned = gateway.log().filter(({ msg }) => msg.includes('may need more memory than it may use'));
    expect(warned).toHaveLength(expected.memoryNeeded > machine.memory ? 1 : 0);
    expect(statusOf(await stage.send(post()))).toBe(200);
  });

  // limits.connections is at most a million: on a larger machine no value needs more memory than there is.
  it.skipIf(totalmem() > 1_000_000 * memoryNeed.connection)(
    'a reload after which the connections may need more memory than there is causes a warning',
    async () => {
      await using stage = await openStage({ config: { relays: undefined, limits: { connections: 100 } } });
      await stage.reload({ relays: undefined, limits: { connections: 1_000_000 } });
      const warned = await stage.gateway.logged(({ msg }) => msg.includes('may need more memory'));
      expect(warned).toMatchObject({ level: 40, relays: stage.gateway.ready.relays });
      expect(warned.memory_needed_mib).toBeGreaterThan(warned.memory_mib);
    },
  );

  it('one starts where threads cannot share a port, and it serves', async () => {
    const env = { NODE_OPTIONS: `--import=${withoutReusePort}` };
    await using stage = await openStage({ config: { relays: undefined }, env });
    expect(await stage.gateway.logged(({ relays }) => relays === 1)).toMatchObject({ bound: 'platform' });
    expect(statusOf(await stage.send(post()))).toBe(200);
  });
});
