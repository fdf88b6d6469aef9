import { describe, expect, it } from 'vitest';
import { openTarget } from '../../src/simulation/endpoint.ts';
import type { SimulationOptions } from '../../src/simulation/options.ts';
import { isDelivered } from '../../src/simulation/result.ts';
import { createSimulation } from '../../src/simulation/simulation.ts';
import { formatSummary } from '../../src/simulation/summary.ts';
import { authority } from '../support/pki/authority.ts';
import { acknowledgement, openHost } from '../support/process/host.ts';
import { type Act, openScriptedHost } from './scripted-host.ts';

const pki = authority();
const leaf = pki.issueClient();

/** Times that a busy test machine keeps. */
const defaults = {
  rate: 100,
  duration: 500,
  resends: 2,
  resendInterval: 10,
  timeout: 10_000,
  lateWait: 10_000,
  keepAlive: true,
  expectContinue: false,
  maxConnections: 1000,
} as const;

async function simulate(url: string, options: Partial<SimulationOptions> = {}) {
  const target = await openTarget({
    url: new URL(url),
    ca: Buffer.from(pki.root.pem),
    identity: { cert: leaf.chainPem, key: leaf.keyPem },
  });
  const source = { seed: 1, format: 'json', began: new Date() } as const;
  return await createSimulation({ ...defaults, target, source, ...options }).run();
}

/** What each act of the host is counted as. */
const countedAs = {
  refuse: 'not_acknowledged',
  late: 'late',
  silent: 'no_answer',
  cut: 'cut',
  close: 'closed',
  misframe: 'misframed',
  chunk: 'no_length',
  untyped: 'no_type',
  fail: 'status',
  empty: 'no_acknowledgement',
} as const satisfies Partial<Record<Act, string>>;

const acts: readonly Act[] = ['acknowledge', 'twice', ...(Object.keys(countedAs) as Act[])];

describe('counts what the host did', () => {
  it.concurrent.each([
    { keepAlive: true, format: 'json' },
    { keepAlive: false, format: 'soap' },
  ] as const)('with every kind of answer, %o', async ({ keepAlive, format }) => {
    // Each kind is the first answer of a message; every fourth message is never acknowledged.
    await using scripted = await openScriptedHost({
      authority: pki,
      lateness: 7500,
      script: (index, attempt) => {
        if (index % 4 === 3) return attempt === 0 ? (acts[index % acts.length] as Act) : 'refuse';
        return attempt === 0 ? (acts[index % acts.length] as Act) : 'acknowledge';
      },
    });
    const { attempts, messages } = await simulate(scripted.host.url, {
      ...{ keepAlive, source: { seed: 3, format, began: new Date() } },
      ...{ timeout: 5000, lateWait: 6000, rate: 100, duration: 600 },
    });
    const done = (act: Act) => scripted.done.get(act) ?? 0;
    const expected = Object.entries(countedAs).map(([act, failure]) => [failure, done(act as Act)]);
    const found = Object.entries(attempts.failures).map(([failure, { count }]) => [failure, count]);
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected));
    expect(attempts.failures.status?.details).toEqual({ 503: done('fail') });
    expect(attempts.doubled).toBe(done('twice'));
    expect(attempts.acknowledged).toBe(done('acknowledge') + done('twice'));
    expect(attempts.sent).toBe(scripted.host.requests.length);
    expect(messages.sent).toBe(60);
    expect(scripted.attempts.size).toBe(60);
    // The host refused each of these in its last attempt.
    const refusedLast = [...scripted.attempts.values()].filter(
      ({ length }, index) => index % 4 === 3 && length === 3,
    );
    expect(messages.lost).toBe(refusedLast.length);
    expect(messages.lost).toBeGreaterThan(0);
    expect(messages.acknowledged).toBe(60 - messages.lost);
    expect(messages.pending).toBe(0);
  });

  it('with answers whose second copy comes in a second write', async () => {
    await using scripted = await openScriptedHost({
      authority: pki,
      script: (index) => (index % 4 === 3 ? 'twice in two writes' : 'acknowledge'),
    });
    const { attempts, messages } = await simulate(scripted.host.url, { rate: 40, duration: 1000 });
    expect(messages).toMatchObject({ sent: 40, acknowledged: 40 });
    expect(attempts).toMatchObject({ sent: 40, doubled: 10, failures: {} });
  });

  it('with a count of attempts in each message that grows by one', async () => {
    await using scripted = await openScriptedHost({
      authority: pki,
      script: (_, attempt) => (attempt === 3 ? 'acknowledge' : 'refuse'),
    });
    const { attempts } = await simulate(scripted.host.url, { resends: 5, duration: 200 });
    const series = [...scripted.attempts.values()].filter(([first]) => first !== null);
    expect(series.length).toBeGreaterThan(10);
    for (const each of series) expect(each).toEqual([0, 1, 2, 3]);
    expect(attempts).toMatchObject({ sent: 80, resent: 60, acknowledged: 20 });
  });
});

it('is no delivery if it ends before the first message', async () => {
  await using scripted = await openScriptedHost({ authority: pki, script: () => 'acknowledge' });
  const target = await openTarget({
    url: new URL(scripted.host.url),
    ca: Buffer.from(pki.root.pem),
    identity: null,
  });
  const source = { seed: 1, format: 'json', began: new Date() } as const;
  const simulation = createSimulation({ ...defaults, target, source });
  simulation.stop();
  const result = await simulation.run();
  expect(result).toMatchObject({ interrupted: true, messages: { sent: 0 } });
  expect(isDelivered(result)).toBe(false);
  expect(formatSummary(result, (_, text) => text)).toMatch(
    /^Interrupted after [\d.]+ s: no message was sent\.\n/,
  );
});

it.each([true, false])(
  'counts no wait for the last connection that is allowed, keepAlive %s',
  async (keepAlive) => {
    await using scripted = await openScriptedHost({ authority: pki, script: () => 'acknowledge' });
    const options = { keepAlive, maxConnections: 1, rate: 1, duration: 1000 };
    const { rate, messages, connections } = await simulate(scripted.host.url, options);
    expect(messages).toMatchObject({ sent: 1, acknowledged: 1 });
    expect(connections.most).toBe(1);
    expect(rate.limited).toBe(0);
  },
);

describe('the loop is open', () => {
  it('sends every message although none is answered until the last has arrived', async () => {
    const held: (() => void)[] = [];
    await using host = await openHost(
      {
        answer: (_, socket) => {
          held.push(() => socket.write(acknowledgement));
          if (held.length === 50) for (const release of held) release();
          return null;
        },
      },
      { tls: serverTls() },
    );
    const { messages, connections } = await simulate(host.url);
    expect(messages).toMatchObject({ sent: 50, acknowledged: 50 });
    expect(connections.most).toBe(50);
  });

  it('counts the wait for a connection from the schedule, and says that the rate was not kept', async () => {
    await using host = await openHost(
      {
        answer: (_, socket) => {
          if (host.requests.length > 1) return acknowledgement;
          setTimeout(() => socket.write(acknowledgement), 300);
          return null;
        },
      },
      { tls: serverTls() },
    );
    const { latency_ms, rate } = await simulate(host.url, { maxConnections: 1, rate: 1000, duration: 9 });
    expect(latency_ms.from_schedule.min).toBeGreaterThan(200);
    expect(latency_ms.from_send.p50).toBeLessThan(latency_ms.from_schedule.p50 as number);
    expect(rate).toMatchObject({ kept: false, limited: 8 });
  });
});

describe('connections', () => {
  it('carry one message each, and are closed after it, with `keepAlive: false`', async () => {
    await using host = await openHost({}, { tls: serverTls() });
    const { connections, messages } = await simulate(host.url, { keepAlive: false, duration: 200 });
    expect(messages.acknowledged).toBe(20);
    expect(host.connectionCount).toBe(20);
    expect(connections.opened).toBe(20);
    expect(host.requests.map((request) => request.field('connection'))).toEqual(Array(20).fill('close'));
  });

  it('are used again with `keepAlive: true`', async () => {
    await using host = await openHost({}, { tls: serverTls() });
    // On a busy machine each of 30 messages may find the connections before it in use.
    const { messages } = await simulate(host.url, { duration: 300, maxConnections: 10 });
    expect(messages.acknowledged).toBe(30);
    expect(host.connectionCount).toBeLessThanOrEqual(10);
  });

  it('that the host refuses are counted with the code of the error', async () => {
    await using host = await openHost({}, { tls: serverTls() });
    const { url } = host;
    await host.close();
    const { attempts, connections, messages } = await simulate(url, { duration: 100, resends: 1 });
    expect(messages).toMatchObject({ sent: 10, acknowledged: 0, lost: 10 });
    expect(attempts.failures).toEqual({ connect: { count: 20, details: { ECONNREFUSED: 20 } } });
    expect(connections.opened).toBe(0);
  });
});

describe('with Expect: 100-continue', () => {
  it('sends the body after 100 Continue', async () => {
    const early: boolean[] = [];
    await using host = await openHost(
      {
        onHead: (head, socket) => {
          const all = host.received(host.connectionCount - 1);
          early.push(!all.subarray(-4).equals(Buffer.from('\r\n\r\n')));
          expect(head.field('expect')).toBe('100-continue');
          socket.write('HTTP/1.1 100 Continue\r\n\r\n');
        },
      },
      { tls: serverTls() },
    );
    const options = { expectContinue: true, keepAlive: false, rate: 20, duration: 400 };
    const { messages } = await simulate(host.url, options);
    expect(messages).toMatchObject({ sent: 8, acknowledged: 8 });
    expect(early).toEqual(Array(8).fill(false));
  });

  it('counts a host that sends no 100 Continue, and does not send the body', async () => {
    await using host = await openHost({}, { tls: serverTls() });
    const options = { expectContinue: true, timeout: 900, duration: 50, resends: 0 };
    const { attempts, messages } = await simulate(host.url, options);
    expect(attempts.failures).toEqual({ no_continue: { count: 5, details: {} } });
    expect(messages.lost).toBe(5);
    expect(host.requests).toEqual([]);
  });

  it('takes a final status instead of 100 for the answer', async () => {
    const refusal = 'HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n';
    await using host = await openHost(
      { onHead: (_, socket) => void socket.write(refusal) },
      { tls: serverTls() },
    );
    const { attempts } = await simulate(host.url, { expectContinue: true, duration: 50, resends: 0 });
    expect(attempts.failures).toEqual({ status: { count: 5, details: { 417: 5 } } });
  });
});

function serverTls() {
  const { chainPem, keyPem } = pki.issueServer();
  return { cert: chainPem, key: keyPem };
}
