import { constants } from 'node:crypto';
import { tracingChannel } from 'node:diagnostics_channel';
import type { Server } from 'node:net';
import tls from 'node:tls';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Listener } from '../../src/handshake/listener.ts';
import type { PolicySnapshot } from '../../src/policy/snapshot.ts';
import { Meter } from '../../src/telemetry/meter.ts';
import { authority } from '../support/pki/authority.ts';
import { sClient } from '../support/pki/openssl.ts';
import { type Client, type ClientOptions, connect } from '../support/process/client.ts';
import { snapshotOf } from '../support/process/snapshot.ts';

const pki = authority();
const base = snapshotOf(pki);
const keys = Uint8Array.from({ length: 48 }, (_, index) => index);
const otherKeys = keys.toReversed();

interface Running extends AsyncDisposable {
  readonly listener: Listener;
  readonly port: number;
  readonly logged: readonly unknown[];
}

/** A listener that admits every client and sends nothing. */
async function listen(changes: Partial<PolicySnapshot> = {}): Promise<Running> {
  const logged: unknown[] = [];
  const listener = new Listener({
    listen: { address: '127.0.0.1', port: 0, reusePort: false },
    snapshot: { ...base, ...changes },
    recorder: {
      meter: new Meter(),
      audit: () => {},
      span: () => {},
      log: () => {},
      logFailure: (...line) => logged.push(line),
    },
    admit: () => true,
    onSecure: (_, socket) => socket.resume(),
    describeLeaf: () => null,
  });
  const { port } = await listener.open();
  return {
    listener,
    port,
    logged,
    async [Symbol.asyncDispose]() {
      listener.close();
      listener.abort();
      await listener.empty();
    },
  };
}

async function withClient<T>(
  { port }: Running,
  options: Partial<ClientOptions>,
  use: (client: Client) => T | Promise<T>,
): Promise<T> {
  await using client = await connect({ port, ca: pki.root.pem, ...options });
  return await use(client);
}

const sessionOf = (running: Running, options: Partial<ClientOptions>) =>
  withClient(running, options, (client) => client.session());

const resumes = (running: Running, options: Partial<ClientOptions>) =>
  withClient(running, options, ({ socket }) => socket.isSessionReused());

afterEach(() => {
  vi.restoreAllMocks();
});

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('sessions on %s', (version) => {
  const only = { minVersion: version, maxVersion: version };

  it('resume on a listener with the same ticket keys, and on no other', async () => {
    await using one = await listen({ ticketKeys: keys });
    await using twin = await listen({ ticketKeys: keys });
    await using other = await listen({ ticketKeys: otherKeys });
    await using off = await listen({ ticketKeys: null });
    const session = await sessionOf(one, only);
    expect(await resumes(one, { ...only, session })).toBe(true);
    expect(await resumes(twin, { ...only, session })).toBe(true);
    expect(await resumes(other, { ...only, session })).toBe(false);
    expect(await resumes(off, { ...only, session })).toBe(false);
  });

  it('do not resume without ticket keys', async () => {
    await using off = await listen({ ticketKeys: null });
    const session = await sessionOf(off, only);
    expect(await resumes(off, { ...only, session })).toBe(false);
  });

  it.each([keys, null])('do not resume by session ID alone', async (ticketKeys) => {
    await using running = await listen({ ticketKeys });
    // Has no effect on TLS 1.3, where a client cannot decline tickets.
    const withoutTickets = { ...only, secureOptions: constants.SSL_OP_NO_TICKET };
    const session = await sessionOf(running, withoutTickets);
    const reused = await resumes(running, { ...withoutTickets, session });
    expect(reused).toBe(version === 'TLSv1.3' && ticketKeys !== null);
  });

  it('no longer resume when the keys change, and still do when anything else changes', async () => {
    await using running = await listen({ ticketKeys: keys });
    const { listener } = running;
    const session = await sessionOf(running, only);
    const certificates = snapshotOf(pki).certificates;
    listener.update({ ...base, ticketKeys: keys.slice(), certificates, advertiseCaNames: false });
    expect(await resumes(running, { ...only, session })).toBe(true);
    listener.update({ ...base, ticketKeys: otherKeys });
    expect(await resumes(running, { ...only, session })).toBe(false);
    listener.update({ ...base, ticketKeys: null });
    expect(await resumes(running, { ...only, session })).toBe(false);
    listener.update({ ...base, ticketKeys: keys });
    expect(await resumes(running, { ...only, session })).toBe(true);
  });
});

describe('an update', () => {
  it('keeps the TLS context if no TLS option changes', async () => {
    await using running = await listen({ ticketKeys: keys });
    const set = vi.spyOn(tls.Server.prototype, 'setSecureContext');
    const same: PolicySnapshot = structuredClone({ ...base, ticketKeys: keys });
    running.listener.update({ ...same, generation: 2, pins: ['a'], allowlist: [], match: [] });
    expect(set).not.toHaveBeenCalled();
  });

  const changes: [string, Partial<PolicySnapshot>][] = [
    ['certificate', { certificates: snapshotOf(pki).certificates }],
    ['anchor', { anchors: snapshotOf(authority()).anchors }],
    ['CA names', { advertiseCaNames: false }],
    ['ticket keys', { ticketKeys: otherKeys }],
    ['resumption to off', { ticketKeys: null }],
  ];

  it.each(changes)('sets the TLS context once for a change of the %s', async (_, change) => {
    await using running = await listen({ ticketKeys: keys });
    const set = vi.spyOn(tls.Server.prototype, 'setSecureContext');
    running.listener.update({ ...base, ticketKeys: keys, ...change });
    running.listener.update({ ...base, ticketKeys: keys, ...change });
    expect(set).toHaveBeenCalledTimes(1);
  });

  it.each(changes)('keeps all TLS restrictions after a change of the %s', async (_, change) => {
    await using running = await listen({ ticketKeys: keys });
    running.listener.update({ ...base, ticketKeys: keys, ...change });
    const { port } = running;
    const old = await sClient({ port }, '-tls1_1', '-cipher', 'ALL:@SECLEVEL=0');
    expect(old.stderr).toMatch(/alert protocol version/);
    const again = await sClient({ port, input: 'R\n' }, '-tls1_2');
    expect(again.stderr).toMatch(/RENEGOTIATING\n.*no renegotiation/);
    const sha1 = await sClient({ port }, '-tls1_2', '-sigalgs', 'ECDSA+SHA1', '-cipher', 'ALL:@SECLEVEL=0');
    expect(sha1.stderr).toMatch(/handshake failure/);
    const { stdout } = await sClient({ port, input: 'Q\n' }, '-tls1_2');
    expect(stdout).toMatch(/^Requested Signature Algorithms: .*ECDSA\+SHA256/m);
    expect(stdout).not.toMatch(/SHA1|SHA224|DSA\+SHA1/);
  });
});

describe('errors of accept', () => {
  it('are logged as failures, and the listener goes on accepting', async () => {
    let server: Server | undefined;
    const subscriber = {
      asyncEnd: (message: unknown) => {
        server = (message as { server: Server }).server;
      },
    };
    const channel = tracingChannel('net.server.listen');
    channel.subscribe(subscriber as unknown as Parameters<typeof channel.subscribe>[0]);
    await using running = await listen();
    channel.unsubscribe(subscriber as unknown as Parameters<typeof channel.subscribe>[0]);
    server?.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }));
    expect(running.logged).toEqual([
      ['error', expect.stringContaining('connections cannot be accepted'), { code: 'EMFILE' }],
    ]);
    expect(await resumes(running, {})).toBe(false);
  });

  it('are errors of open() before the listener is bound', async () => {
    await using running = await listen();
    const second = new Listener({
      listen: { address: '127.0.0.1', port: running.port, reusePort: false },
      snapshot: base,
      recorder: { meter: new Meter(), audit: () => {}, span: () => {}, log: () => {}, logFailure: () => {} },
      admit: () => true,
      onSecure: () => {},
      describeLeaf: () => null,
    });
    await expect(second.open()).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' });
    second.abort();
  });
});
