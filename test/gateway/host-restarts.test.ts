/** A host that stops and starts repeatedly: which messages are answered, which fail, and that the audit records it. */
import { expect, it } from 'vitest';
import { type Message, statusOf } from '../support/http/http.ts';
import { echo } from '../support/numbered.ts';
import { type Client, post } from '../support/process/client.ts';
import { type Host, openHost } from '../support/process/host.ts';
import { messageOf } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

/** A host that keeps its port while it is stopped, and all requests that it received over its restarts. */
class FlappingHost implements AsyncDisposable {
  readonly port: number;
  readonly requests: Message[] = [];
  #now: Host | null;

  constructor(first: Host) {
    this.#now = first;
    this.port = first.port;
  }

  /** Ends every connection and stops listening. */
  async go(): Promise<void> {
    const host = this.#now;
    this.#now = null;
    await host?.[Symbol.asyncDispose]();
    this.requests.push(...(host?.requests ?? []));
  }

  async comeBack(): Promise<void> {
    this.#now = await openHost({ answer: echo }, { at: this.port });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.go();
  }
}

async function openFlappingHost(): Promise<FlappingHost> {
  return new FlappingHost(await openHost({ answer: echo }));
}

const url = ({ port }: { readonly port: number }) => `http://127.0.0.1:${port}`;

/** Expects an error response from the gateway, and a record with the same status. */
async function expectFailed(stage: Stage, answer: Message, reasons: readonly string[]): Promise<void> {
  expect(statusOf(answer)).toBe(502);
  expect(answer.raw.toString()).not.toMatch(/acknowledg|message/i);
  const record = await messageOf(stage.gateway, answer);
  expect(record).toMatchObject({ outcome: 'failed', status: 502, response_bytes: 0 });
  expect(reasons).toContain(record.reason);
}

it('relays while the host is up and answers 502 while it is down, on one client connection', async () => {
  await using host = await openFlappingHost();
  await using stage = await openStage({ routes: [{ path: '/', upstream: url(host) }] });
  await using kept = await stage.connect();
  const answered: string[] = [];
  for (let round = 0; round < 20; round++) {
    for (let message = 0; message < 3; message++) {
      const body = `message ${round}/${message}`;
      // The first message after a restart finds no connection from before it.
      expect((await kept.exchange(post({ body }))).body.toString()).toBe(body);
      answered.push(body);
    }
    await host.go();
    await expectFailed(stage, await kept.exchange(post({ body: 'lost' })), [
      'closed_early',
      'connect_failed',
    ]);
    await expectFailed(stage, await kept.exchange(post({ body: 'lost' })), ['connect_failed']);
    await expectFailed(stage, await stage.send(post({ body: 'lost' })), ['connect_failed']);
    await host.comeBack();
  }
  await host.go();
  expect(host.requests.map(({ body }) => body.toString())).toEqual(answered);
  for (const request of host.requests) {
    expect(await messageOf(stage.gateway, request)).toMatchObject({ outcome: 'answered', status: 200 });
  }
  expect(await stage.gateway.stop()).toEqual({ code: 0 });
  const outcomes = stage.gateway.records().flatMap(({ outcome }) => outcome ?? []);
  expect(Object.groupBy(outcomes, (each) => each)).toMatchObject({
    answered: { length: answered.length },
    failed: { length: 60 },
  });
});

it('delivers each message to at most one of two hosts while they stop and start in turns under load', async () => {
  await using first = await openFlappingHost();
  await using second = await openFlappingHost();
  const hosts = [first, second];
  await using stage = await openStage({ routes: [{ path: '/', upstream: hosts.map(url) }] });
  const answers = new Map<string, Message>();
  let flapping = true;
  const talk = async (number: number) => {
    await using client = await stage.connect();
    for (let count = 0; flapping; count++) {
      const body = `${number}/${count}`;
      answers.set(body, await client.exchange(post({ body })));
    }
  };
  const talking = Promise.all([0, 1, 2, 3].map(talk));
  /**
   * Resolves after 20 messages have been answered with 200, so that each state of the hosts sees messages. One may fail on a
   * pooled connection whose end the gateway has not read yet.
   */
  const goOn = async (client: Client, turn: string) => {
    for (let answered = 0, count = 0; answered < 20; count++) {
      const body = `${turn}/${count}`;
      const answer = await client.exchange(post({ body }));
      answers.set(body, answer);
      if (statusOf(answer) === 200) answered++;
    }
  };
  for (let turn = 0; turn < 20; turn++) {
    const host = hosts[turn % 2] as FlappingHost;
    await host.go();
    await using client = await stage.connect();
    await goOn(client, `down ${turn}`);
    await host.comeBack();
    await goOn(client, `up ${turn}`);
  }
  flapping = false;
  await talking;
  for (const host of hosts) await host.go();

  const received = hosts.flatMap(({ requests }) => requests).filter(({ body }) => body.length > 0);
  const bodies = received.map(({ body }) => body.toString());
  expect(new Set(bodies).size).toBe(bodies.length);
  for (const [body, answer] of answers) {
    if (statusOf(answer) !== 200) await expectFailed(stage, answer, ['closed_early', 'connect_failed']);
    else {
      expect(answer.body.toString()).toBe(body);
      const request = received[bodies.indexOf(body)] as Message;
      expect(await messageOf(stage.gateway, request)).toMatchObject({ outcome: 'answered', status: 200 });
    }
  }
  for (const { requests } of hosts) expect(requests.length).toBeGreaterThan(20);
  const counts = [...answers.values()].filter((answer) => statusOf(answer) === 200).length;
  expect(counts).toBeGreaterThan(answers.size / 2);
});
