/** A message reaches one of two endpoints at most once, while they are killed, stopped and restarted. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { type Client, post } from '../support/process/client.ts';
import { openRecordingHost, type RecordingHost } from '../support/process/recording-host.ts';
import { openStage, type Stage } from '../support/process/stage.ts';
import { seeded } from '../support/random.ts';

const random = seeded('upstream-at-most-once');
/** A release test sends 100000. */
const messages = Number(process.env.EHI_TEST_MESSAGES ?? 4000);
const connections = 8;
/** Of the route, ms. */
const deadline = 100;

/** The result of a message for its client. */
type End = number | 'cut';

/** The expected record for each result. */
const recordOf = new Map<End, { outcome: string; status: number }>([
  [200, { outcome: 'answered', status: 200 }],
  [502, { outcome: 'failed', status: 502 }],
  [504, { outcome: 'failed', status: 504 }],
  ['cut', { outcome: 'cut', status: 200 }],
]);

/** The result of each message, and the kills and stops of the hosts. */
class Ledger {
  readonly ends = new Map<string, End>();
  kills = 0;
  stops = 0;
  answered = 0;

  /**
   * True once enough messages were sent and answered, a kill has cut a response and a stop has delayed one past the deadline. On a
   * slow machine few messages are answered before it.
   */
  get full(): boolean {
    if (this.ends.size < messages || this.answered <= messages / 4 || this.stops === 0) return false;
    const ends = new Set(this.ends.values());
    return ends.has('cut') && ends.has(504);
  }
}

/** Sends messages one after another, none of them twice, until `done`. */
async function talk(stage: Stage, ledger: Ledger): Promise<void> {
  const { ends } = ledger;
  let client: Client | null = null;
  while (!ledger.full) {
    const id = `id-${ends.size}`;
    ends.set(id, 'cut');
    client ??= await stage.connect();
    const body = Buffer.alloc(random.chance(0.05) ? 100_000 : 300, 'x');
    client.write(post({ target: `/${id}`, fields: [`X-Message-Id: ${id}`], body }));
    try {
      const answer = await client.response();
      ends.set(id, statusOf(answer));
      if (statusOf(answer) === 200) {
        ledger.answered++;
        expect(answer.field('x-message-id')).toBe(id);
      }
      if (answer.field('connection') !== 'close') continue;
    } catch (error) {
      // A reset counts as cut; an end without a `Connection: close` before it is a failure.
      if (client.error === undefined) throw error;
    }
    await client[Symbol.asyncDispose]();
    client = null;
  }
  await client?.[Symbol.asyncDispose]();
}

/** Three kills, then a stop: in turns of both hosts for longer than any message may take, and of one for a while. */
async function harm(hosts: readonly RecordingHost[], ledger: Ledger): Promise<void> {
  const host = hosts[random.chance(0.7) ? 0 : 1] as RecordingHost;
  if (ledger.kills < 3 * (ledger.stops + 1)) {
    await host.kill({ both: random.chance(0.5) });
    ledger.kills++;
    return;
  }
  const long = ledger.stops % 2 === 0;
  const stopped = long ? hosts : [host];
  for (const each of stopped) each.freeze();
  await sleep(long ? 2 * deadline : random.next() * deadline);
  for (const each of stopped) each.thaw();
  ledger.stops++;
}

/** Kills and stops the hosts until every message has ended. */
async function harmUntilDone(stage: Stage, hosts: readonly RecordingHost[], ledger: Ledger): Promise<void> {
  let done = false;
  const talks = Array.from({ length: connections }, () => talk(stage, ledger));
  const talking = Promise.all(talks).finally(() => {
    done = true;
  });
  while (!done) {
    await Promise.race([talking, sleep(random.next() * 20)]);
    await harm(hosts, ledger);
  }
  await talking;
}

it.runIf(process.platform === 'linux')(
  'delivers no message twice and every answered one exactly once, and records each with the result of its client',
  async ({ annotate }) => {
    await using first = await openRecordingHost(random);
    await using second = await openRecordingHost(random);
    const hosts = [first, second];
    const upstream = hosts.map(({ port }) => `http://127.0.0.1:${port}`);
    await using stage = await openStage({
      routes: [{ path: '/', upstream, deadline: `${deadline}ms` }],
      config: { timeouts: { connectFirst: '20ms', connect: '50ms' } },
    });
    const ledger = new Ledger();
    const { ends } = ledger;
    await harmUntilDone(stage, hosts, ledger);

    // A stopped process reads pending bytes when it continues: wait until no further message can arrive.
    const lives = await Promise.all(hosts.map((host) => host.lives()));
    const received = lives.flatMap((of, index) => of.flat().map((id) => ({ id, endpoint: upstream[index] })));
    const endpoints = new Map(received.map(({ id, endpoint }) => [id, endpoint]));
    expect(endpoints.size).toBe(received.length);
    const having = (end: End) => [...ends.keys()].filter((id) => ends.get(id) === end);
    expect(having(200).filter((id) => !endpoints.has(id))).toEqual([]);

    expect(await stage.gateway.stop()).toEqual({ code: 0 });
    const records = stage.gateway.records().filter(({ type }) => type === 'message');
    expect(records.map(({ path }) => path.slice(1)).sort()).toEqual([...ends.keys()].sort());
    expect(new Set(records.map(({ request_id }) => request_id)).size).toBe(records.length);
    const wrong = records.filter(({ path, outcome, status, endpoint }) => {
      const id = path.slice(1);
      const end = recordOf.get(ends.get(id) as End);
      const elsewhere = endpoints.has(id) && endpoints.get(id) !== endpoint;
      return elsewhere || outcome !== end?.outcome || status !== end?.status;
    });
    expect(wrong.map((record) => ({ ...record, end: ends.get(record.path.slice(1)) }))).toEqual([]);

    // Both hosts were killed between a message and its response; otherwise this test proves nothing.
    const unanswered = (id: string) => [502, 'cut'].includes(ends.get(id) as End);
    const between = lives.flat().filter((ids) => ids.some(unanswered));
    expect([between.length, ledger.kills, ledger.stops]).not.toContain(0);
    for (const ids of lives) expect(ids.flat().length).toBeGreaterThan(messages / 50);
    expect(having(200).length).toBeGreaterThan(messages / 4);

    const counts = [...recordOf.keys()].map((end) => `${end}: ${having(end).length}`).join(', ');
    await annotate(
      `${ledger.kills} kills, ${ledger.stops} stops, ${between.length} lives cut short; ${counts}`,
    );
  },
  600_000 + 10 * messages,
);
