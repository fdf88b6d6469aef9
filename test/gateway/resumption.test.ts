/** Resumed sessions: a ticket proves the identity of the client, not that it is still authorized. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Message, statusOf } from '../support/http/http.ts';
import { type ClientOptions, post } from '../support/process/client.ts';
import { expectOneRecordEach, refusalOf } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ named: true });
});
afterAll(() => stage[Symbol.asyncDispose]());

/** One exchange on a new connection. */
async function visit(options: Partial<ClientOptions>): Promise<{ answer: Message; reused: boolean }> {
  await using client = await stage.connect(options);
  const answer = await client.exchange(post());
  return { answer, reused: client.socket.isSessionReused() };
}

/** One exchange after a full handshake; returns the session too. */
async function visitFirst(options: Partial<ClientOptions>): Promise<{ answer: Message; session: Buffer }> {
  await using client = await stage.connect(options);
  const answer = await client.exchange(post());
  return { answer, session: await client.session() };
}

let tooLate = 0;

/** A leaf that expires soon, after its first handshake: later, if it has expired before that. */
async function visitBeforeExpiry(options: Partial<ClientOptions>) {
  for (let seconds = 3; ; seconds *= 2) {
    const notAfter = (Math.floor(Date.now() / 1000) + seconds) * 1000;
    const leaf = stage.authority.issueClient({ notAfter });
    const { answer, session } = await visitFirst({ ...options, leaf });
    if (statusOf(answer) === 200) return { leaf, session, notAfter };
    tooLate++;
    expect(Date.now()).toBeGreaterThan(notAfter);
  }
}

/** Certificate times are in whole seconds, and the validity includes the last one. */
async function past(notAfter: number): Promise<void> {
  while (Date.now() <= notAfter) await sleep(notAfter - Date.now() + 1);
}

describe.concurrent.each(['TLSv1.2', 'TLSv1.3'] as const)('on %s', (version) => {
  const only = { minVersion: version, maxVersion: version };

  it('accepts a valid client that resumes its session, and records its leaf and anchor', async () => {
    const first = await visitFirst(only);
    expect(statusOf(first.answer)).toBe(200);
    const second = await visit({ ...only, session: first.session });
    expect(statusOf(second.answer)).toBe(200);
    expect(second.reused).toBe(true);
    const record = await stage.gateway.audit(
      ({ tls_version, resumed, verdict }) =>
        tls_version === version && resumed === true && verdict === 'allow',
    );
    expect(record).toMatchObject({
      anchor: 'example',
      leaf: { subject: expect.stringContaining('CN=Example client') },
      reason: null,
    });
  });

  it('refuses a client without a certificate that resumes its session', async () => {
    const first = await visitFirst({ ...only, leaf: undefined });
    const second = await visit({ ...only, leaf: undefined, session: first.session });
    expect(second.reused).toBe(true);
    for (const [{ answer }, resumed] of [
      [first, false],
      [second, true],
    ] as const) {
      expect(statusOf(answer)).toBe(400);
      const { handshake } = await refusalOf(stage.gateway, answer);
      expect(handshake).toMatchObject({ verdict: 'deny', reason: 'no_certificate', resumed, leaf: null });
    }
  });

  it('refuses a client of another organisation that resumes its session', async () => {
    const leaf = stage.authority.issueClient({ subject: { OU: 'Another organisation' } });
    const first = await visitFirst({ ...only, leaf });
    const second = await visit({ ...only, leaf, session: first.session });
    expect(second.reused).toBe(true);
    expect(statusOf(second.answer)).toBe(403);
    const { handshake } = await refusalOf(stage.gateway, second.answer);
    expect(handshake).toMatchObject({ reason: 'match_mismatch', resumed: true });
  });

  it('refuses a client whose certificate has expired since its first handshake', async () => {
    const { leaf, session, notAfter } = await visitBeforeExpiry(only);
    await past(notAfter);
    const second = await visit({ ...only, leaf, session });
    expect(second.reused).toBe(true);
    expect(statusOf(second.answer)).toBe(403);
    const { handshake } = await refusalOf(stage.gateway, second.answer);
    expect(handshake).toMatchObject({ verdict: 'deny', reason: 'expired', resumed: true });
  });
});

it('on TLSv1.3 a full handshake gives two tickets and a resumed one none: each used once, they resume two of three connections', async () => {
  const visitWith = async (session?: Buffer) => {
    const tickets: Buffer[] = [];
    await using client = await stage.connect({ minVersion: 'TLSv1.3', ...(session && { session }) });
    client.socket.on('session', (ticket: Buffer) => tickets.push(ticket));
    const reused = client.socket.isSessionReused();
    expect(statusOf(await client.exchange(post({ fields: ['Connection: close'] })))).toBe(200);
    await client.rest();
    return { reused, tickets };
  };
  const first = await visitWith();
  expect(first).toMatchObject({ reused: false, tickets: [expect.any(Buffer), expect.any(Buffer)] });
  // At once, as a client does that opens two connections.
  for (const next of await Promise.all(first.tickets.map(visitWith)))
    expect(next).toEqual({ reused: true, tickets: [] });
});

// Each connection of these tests has one handshake record.
afterAll(async () => {
  await expectOneRecordEach(stage.gateway, 19 + tooLate);
});
