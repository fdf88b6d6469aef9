/** A message reaches the host at most once, and exactly once when its status is 2xx, however often the host is killed. */
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { statusOf } from '../support/http/http.ts';
import { type Client, post } from '../support/process/client.ts';
import type { Gateway } from '../support/process/gateway.ts';
import { metricsWhen, type Samples } from '../support/process/metrics.ts';
import { openRecordingHost, type RecordingHost } from '../support/process/recording-host.ts';
import { openStage, type Stage } from '../support/process/stage.ts';
import { seeded } from '../support/random.ts';

const random = seeded('at-most-once');
const messages = 10_000;
const connections = 8;
const killsNeeded = 100;
/** How far the gateway's memory may grow: V8 lets garbage of 64 MiB pile up outside its heap. */
const allowedBytes = 96 * 1024 * 1024;

/** The result of a message for its client: a status, or a connection that was cut before a complete response. */
type End = number | 'cut';

/** Hands out message ids, and records the result of each. */
class Ledger {
  readonly ends = new Map<string, End>();
  /** Kills of the host. */
  deaths = 0;
  /** Messages and kills that are enough. */
  goal = { messages, deaths: 1.6 * killsNeeded };
  #given = 0;

  /** The next ids; none when enough messages were sent and the host was killed often enough. */
  take(count: number): string[] {
    if (this.#given >= this.goal.messages && this.deaths >= this.goal.deaths) return [];
    const from = this.#given;
    this.#given += count;
    return Array.from({ length: count }, (_, index) => `id-${from + index}`);
  }
}

/** Mostly a small body; sometimes one that takes several writes, so that the host is also killed within a body. */
function request(id: string): Buffer {
  const body = Buffer.alloc(random.chance(0.05) ? 100_000 : 300, 'x');
  return post({ fields: [`X-Message-Id: ${id}`], body });
}

/** Sends messages on one connection after another, up to three of them pipelined; sends none of them twice. */
async function talk(stage: Stage, host: RecordingHost, ledger: Ledger): Promise<void> {
  let client: Client | null = null;
  for (let ids = ledger.take(1); ids.length > 0; ids = ledger.take(1 + random.below(3))) {
    await host.up();
    client ??= await stage.connect();
    client.write(Buffer.concat(ids.map(request)));
    for (const id of ids) ledger.ends.set(id, 'cut');
    let last = false;
    try {
      for (const id of ids) {
        const answer = await client.response();
        ledger.ends.set(id, statusOf(answer));
        if (statusOf(answer) === 200) expect(answer.field('x-message-id')).toBe(id);
        last = answer.field('connection') === 'close';
        if (last) break;
      }
    } catch (error) {
      // A reset counts as cut; an end without a `Connection: close` before it is a failure.
      if (client.error === undefined) throw error;
      last = true;
    }
    if (!last) continue;
    await client[Symbol.asyncDispose]();
    client = null;
  }
  await client?.[Symbol.asyncDispose]();
}

const openFiles = async ({ pid }: Gateway) => (await readdir(`/proc/${pid}/fd`)).length;

async function residentBytes({ pid }: Gateway): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

/** Kills one or both processes of the host repeatedly until every message has ended. */
async function killUntilDone(stage: Stage, host: RecordingHost, ledger: Ledger): Promise<void> {
  let done = false;
  const talks = Array.from({ length: connections }, () => talk(stage, host, ledger));
  const talking = Promise.all(talks).finally(() => {
    done = true;
  });
  while (!done) {
    await Promise.race([talking, sleep(random.next() * 20)]);
    await host.kill({ both: random.chance(0.2) });
    ledger.deaths++;
  }
  await talking;
}

/** The ids that each host process received; it was killed between a message and its response if it answered not all of them. */
async function livesOf(host: RecordingHost, ledger: Ledger) {
  const lives = await host.lives();
  const isCutShort = (ids: string[]) => ids.some((id) => ledger.ends.get(id) !== 200 && id !== 'warm-up');
  return { lives, between: lives.filter(isCutShort) };
}

/** Waits until the gateway has no more connections, messages and descriptors than before, and checks its memory. */
async function expectNothingLeft(gateway: Gateway, before: { files: number; bytes: number }): Promise<void> {
  const idle = (samples: Samples) =>
    samples.get('ehi_connections') === 0 && samples.get('ehi_in_flight') === 0;
  await metricsWhen(gateway, idle);
  await eventually(
    () => openFiles(gateway),
    (count) => count <= before.files,
  );
  expect((await residentBytes(gateway)) - before.bytes).toBeLessThan(allowedBytes);
}

it.runIf(process.platform === 'linux')(
  'delivers every answered message exactly once and no message twice to a host that is killed more than 100 times',
  async ({ annotate }) => {
    await using host = await openRecordingHost(random);
    await using stage = await openStage({
      named: true,
      // Idle connections to a process that the last kill has spared must close, too, before descriptors are counted.
      routes: [
        { path: '/', upstream: { url: `http://127.0.0.1:${host.port}`, pool: { idleTimeout: '4s' } } },
      ],
    });
    const { gateway } = stage;
    await stage.send(post({ fields: ['X-Message-Id: warm-up'] }));
    const before = { files: await openFiles(gateway), bytes: await residentBytes(gateway) };

    const ledger = new Ledger();
    await killUntilDone(stage, host, ledger);
    // How many kills hit a message depends on the machine.
    while ((await livesOf(host, ledger)).between.length < killsNeeded) {
      ledger.goal.deaths = ledger.deaths + killsNeeded / 4;
      await killUntilDone(stage, host, ledger);
    }

    const { lives, between } = await livesOf(host, ledger);
    const received = lives.flat().filter((id) => id !== 'warm-up');
    expect(new Set(received).size).toBe(received.length);
    expect(ledger.ends.size).toBeGreaterThanOrEqual(messages);
    const answered = [...ledger.ends].flatMap(([id, end]) => (end === 200 ? [id] : []));
    const known = new Set(received);
    expect(answered.filter((id) => !known.has(id))).toEqual([]);
    expect(
      [...new Set(ledger.ends.values())].filter((end) => ![200, 502, 503, 504, 'cut'].includes(end)),
    ).toEqual([]);

    const ends = Object.entries(Object.groupBy(ledger.ends.values(), String));
    await annotate(
      `the host died ${lives.length} times, ${between.length} of them between write and answer; ` +
        ends.map(([end, of]) => `${end}: ${of?.length}`).join(', '),
    );
    expect(answered.length).toBeGreaterThan(ledger.ends.size / 4);

    await expectNothingLeft(gateway, before);
    expect(await gateway.stop()).toEqual({ code: 0 });
    // A reset may overtake a response on its way to the client: the audit may have more of them than the client, never fewer.
    const recorded = gateway.records().filter(({ outcome }) => outcome === 'answered');
    expect(recorded.length).toBeGreaterThan(answered.length);
  },
  600_000,
);
