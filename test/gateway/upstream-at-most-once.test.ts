/** A message reaches one of two endpoints at most once, however these are killed, stopped and restarted. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { type Client, post } from '../support/client.ts';
import { statusOf } from '../support/http.ts';
import { openRecordingHost, type RecordingHost } from '../support/recording-host.ts';
import { openStage, type Stage } from '../support/stage.ts';

/** The proof of a release takes 100000 of them. */
const messages = Number(process.env.EHI_TEST_MESSAGES ?? 4000);
const connections = 8;

/** What a message came to for its client. */
type End = number | 'cut';

/** Sends messages one after another, never one twice, until all are sent. */
async function talk(stage: Stage, ends: Map<string, End>): Promise<void> {
  let client: Client | null = null;
  while (ends.size < messages) {
    const id = `id-${ends.size}`;
    ends.set(id, 'cut');
    client ??= await stage.connect();
    const body = Buffer.alloc(Math.random() < 0.05 ? 100_000 : 300, 'x');
    client.write(post({ fields: [`X-Message-Id: ${id}`], body }));
    try {
      const answer = await client.response();
      ends.set(id, statusOf(answer));
      if (statusOf(answer) === 200) expect(answer.field('x-message-id')).toBe(id);
      if (answer.field('connection') !== 'close') continue;
    } catch (error) {
      // A reset is a cut; an end that nobody announced is not.
      if (client.error === undefined) throw error;
    }
    await client[Symbol.asyncDispose]();
    client = null;
  }
  await client?.[Symbol.asyncDispose]();
}

async function harm(host: RecordingHost): Promise<'killed' | 'stopped'> {
  if (Math.random() < 0.7) {
    await host.kill({ both: Math.random() < 0.5 });
    return 'killed';
  }
  host.freeze();
  await sleep(Math.random() * 150);
  host.thaw();
  return 'stopped';
}

it.runIf(process.platform === 'linux')(
  'records no message twice, and every answered one exactly once',
  async ({ annotate }) => {
    await using first = await openRecordingHost();
    await using second = await openRecordingHost();
    const hosts = [first, second];
    const upstream = hosts.map(({ port }) => `http://127.0.0.1:${port}`);
    await using stage = await openStage({
      routes: [{ path: '/', upstream, deadline: '100ms' }],
      config: { timeouts: { connectFirst: '20ms', connect: '50ms' } },
    });
    const ends = new Map<string, End>();
    let done = false;
    const talking = Promise.all(Array.from({ length: connections }, () => talk(stage, ends))).finally(() => {
      done = true;
    });
    const harms = { killed: 0, stopped: 0 };
    while (!done) {
      await Promise.race([talking, sleep(Math.random() * 20)]);
      harms[await harm(hosts[Math.random() < 0.7 ? 0 : 1] as RecordingHost)]++;
    }
    await talking;

    // What was written to a process that stood still is read when it goes on: no record may still come after that.
    const lives = await Promise.all(hosts.map((host) => host.lives()));
    const received = lives.flat(2);
    const known = new Set(received);
    expect(known.size).toBe(received.length);
    const answered = [...ends].flatMap(([id, end]) => (end === 200 ? [id] : []));
    expect(answered.filter((id) => !known.has(id))).toEqual([]);
    expect([...new Set(ends.values())].filter((end) => ![200, 502, 504, 'cut'].includes(end))).toEqual([]);
    await stage.gateway.stop();
    // A reset may overtake an answer on its way to the client: the audit may know of more of them, never of fewer.
    const recorded = stage.gateway.records().filter(({ type }) => type === 'message');
    expect(new Set(recorded.map(({ request_id }) => request_id)).size).toBe(recorded.length);
    const told = recorded.filter(({ outcome }) => outcome === 'answered').length;
    expect(told).toBeGreaterThanOrEqual(answered.length);
    expect(told).toBeLessThanOrEqual(received.length);
    // Both had their share, or nothing was tried here.
    for (const ids of lives) expect(ids.flat().length).toBeGreaterThan(messages / 50);
    expect(answered.length).toBeGreaterThan(messages / 4);

    const between = lives.flat().filter((ids) => ids.some((id) => ends.get(id) !== 200)).length;
    const counts = Object.entries(Object.groupBy(ends.values(), String)).map(
      ([end, of]) => `${end}: ${of?.length}`,
    );
    await annotate(
      `${messages} messages, ${harms.killed} kills, ${harms.stopped} stops; in ${between} lives a message was ` +
        `received and not answered; ${lives.map((ids) => ids.flat().length).join(' and ')} received; ${counts.join(', ')}`,
    );
  },
  600_000,
);
