/** Clients that stop in the middle of a handshake: the record says how far both sides had come, and claims no more. */
import { once } from 'node:events';
import { createServer, connect as dial } from 'node:net';
import tls, { type ConnectionOptions } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Listener } from '../../src/handshake/listener.ts';
import type { PolicySnapshot } from '../../src/policy/snapshot.ts';
import { AddressShares } from '../../src/source/address-counts.ts';
import { Meter } from '../../src/telemetry/meter.ts';
import { eventually } from '../support/eventually.ts';
import { authority } from '../support/pki/authority.ts';
import { connect } from '../support/process/client.ts';
import { snapshotOf } from '../support/process/snapshot.ts';

const pki = authority();
const leaf = pki.issueClient();
const [certificate] = snapshotOf(pki).certificates;
if (certificate === undefined) throw new Error('no certificate');
const base = snapshotOf(pki, {
  ticketKeys: Uint8Array.from({ length: 48 }, (_, index) => index),
  // With the root, as long as a public CA's chain: longer than the key share of X25519MLKEM768.
  certificates: [{ ...certificate, chain: `${certificate.chain}${pki.root.pem}` }],
});
const hasty = { ...base, timeouts: { ...base.timeouts, handshake: 1_000 } };

type Line = Readonly<Record<'source_port' | 'reason' | 'detail' | 'resumed' | 'leaf', unknown>>;

interface Running {
  readonly listener: Listener;
  readonly port: number;
  readonly lines: Line[];
}

async function listen(snapshot: PolicySnapshot, isListed: boolean): Promise<Running> {
  const lines: Line[] = [];
  const shares = new AddressShares();
  const listener = new Listener({
    listen: { address: '127.0.0.1', port: 0, reusePort: false },
    snapshot,
    recorder: {
      meter: new Meter(),
      audit: (line) => lines.push(JSON.parse(String(line))),
      span: () => {},
      log: () => {},
      logFailure: () => {},
    },
    admit: (inbound) => {
      const share = shares.reserve(inbound.address, { connections: 100, unfinished: 100 });
      if (!isListed && typeof share === 'object') inbound.share = share;
      return true;
    },
    onSecure: (_, socket) => socket.resume(),
    describeLeaf: () => null,
  });
  return { listener, lines, port: (await listener.open()).port };
}

/** Passes the client's first `flights` to the gateway, and reports when the client sends more. */
async function holdAfter(flights: number, to: number) {
  const gateway = dial({ port: to, host: '127.0.0.1' });
  await once(gateway, 'connect');
  let onHeld = (): void => {};
  const held = new Promise<void>((resolve) => {
    onHeld = resolve;
  });
  const server = createServer((client) => {
    let count = 0;
    let isTurnOfClient = true;
    gateway.on('data', (bytes: Buffer) => {
      isTurnOfClient = true;
      client.write(bytes);
    });
    client
      .on('error', () => {})
      .on('data', (bytes: Buffer) => {
        if (isTurnOfClient) count++;
        isTurnOfClient = false;
        if (count > flights) onHeld();
        else gateway.write(bytes);
      });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  gateway.on('error', () => {});
  const { port } = server.address() as { port: number };
  return { gateway, server, held, port };
}

const v12 = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
const v13 = { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' } as const;
/** The gateway supports the second group only, and asks for its key share. */
const retried = { ...v13, ecdhCurve: 'ffdhe8192:X25519' };

const all: (Running & { readonly isListed: boolean; readonly isHasty: boolean })[] = [];
beforeAll(async () => {
  for (const isListed of [true, false])
    for (const isHasty of [true, false])
      all.push({ ...(await listen(isHasty ? hasty : base, isListed)), isListed, isHasty });
});
afterAll(async () => {
  for (const { listener } of all) {
    listener.close();
    listener.abort();
    await listener.empty();
  }
});

type Offer = Pick<ConnectionOptions, 'minVersion' | 'maxVersion' | 'ecdhCurve' | 'ALPNProtocols'>;

interface Attempt {
  readonly isListed: boolean;
  readonly isHasty: boolean;
  readonly flights: number;
  readonly options: Offer;
  readonly resumes: boolean;
}

/** The record of a client that stops after `flights`, and closes the connection or hangs. */
async function recordOf({ isListed, isHasty, flights, options, resumes }: Attempt): Promise<Line> {
  const running = all.find((each) => each.isListed === isListed && each.isHasty === isHasty) as Running;
  const session = resumes ? await sessionOf(running, options) : undefined;
  const { gateway, server, held, port } = await holdAfter(flights, running.port);
  const { localPort } = gateway;
  const client = tls.connect({
    ...{ port, host: '127.0.0.1', rejectUnauthorized: false, servername: '' },
    ...{ cert: leaf.chainPem, key: leaf.keyPem, session },
    ...options,
  } as ConnectionOptions);
  client.on('error', () => {});
  await held;
  if (!isHasty) gateway.destroy();
  const ofClient = () => running.lines.find(({ source_port: source }) => source === localPort);
  const line = await eventually(ofClient, (found) => found !== undefined);
  client.destroy();
  gateway.destroy();
  server.close();
  return line as Line;
}

async function sessionOf({ port }: Running, options: Offer): Promise<Buffer> {
  await using client = await connect({ port, ca: pki.root.pem, leaf, ...options });
  return await client.session();
}

const cases: [
  string,
  Pick<Attempt, 'flights' | 'options' | 'resumes'>,
  Record<'closed' | 'hangs', object>,
][] = [
  ...(
    [
      ['TLS 1.3 with X25519MLKEM768', v13],
      ['TLS 1.3 with X25519', { ...v13, ecdhCurve: 'X25519' }],
      ['TLS 1.2', v12],
    ] as const
  ).map(([version, options]): (typeof cases)[number] => [
    `resumes a session of ${version}`,
    { options, flights: 1, resumes: true },
    {
      closed: {
        reason: 'closed_before_finished',
        detail: expect.stringMatching(
          /^the client resumed a TLS session and closed the connection before the handshake was done, after it had sent \d+ bytes in all\. (?!.*certificate)/,
        ),
      },
      hangs: {
        reason: 'handshake_timeout',
        resumed: true,
        detail: expect.stringMatching(
          /^the client resumed a TLS session and did not finish .*: it sent \d+ bytes in all\. (?!.*certificate)/,
        ),
      },
    },
  ]),
  [
    'does not answer a certificate of TLS 1.2',
    { options: v12, flights: 1, resumes: false },
    {
      closed: { reason: 'closed_after_certificate' },
      hangs: {
        reason: 'handshake_timeout',
        resumed: false,
        detail: expect.stringMatching(/after the gateway sent its certificate: it sent /),
      },
    },
  ],
  [
    'does not send its second ClientHello',
    { options: retried, flights: 1, resumes: false },
    {
      closed: {
        reason: 'closed_before_certificate',
        detail: expect.stringMatching(/, and the gateway asked it for a key share of another group\. /),
      },
      hangs: {
        reason: 'timeout_client_hello',
        detail: expect.stringMatching(/^the client did not complete its second ClientHello /),
      },
    },
  ],
  [
    'sends a second ClientHello and no more',
    { options: retried, flights: 2, resumes: false },
    {
      closed: { reason: 'closed_after_certificate' },
      hangs: { reason: 'handshake_timeout', detail: expect.not.stringContaining('a part of its answer') },
    },
  ],
];

describe.concurrent.each([
  ['a listed address', true],
  ['an unlisted address', false],
])('a client from %s', (_address, isListed) => {
  describe.each([
    ['with ALPN', { ALPNProtocols: ['http/1.1'] }],
    ['without ALPN', {}],
  ])('%s', (_alpn, alpn) => {
    it.each(cases)('that %s is recorded as such', async (_what, { options, ...attempt }, expected) => {
      const [closed, hangs] = await Promise.all(
        [false, true].map((isHasty) =>
          recordOf({ ...attempt, isListed, isHasty, options: { ...options, ...alpn } }),
        ),
      );
      expect(closed).toMatchObject(expected.closed);
      expect(hangs).toMatchObject(expected.hangs);
      // OpenSSL has forgotten it when a connection has closed, but not what it chose by ALPN, nor an inspector's key log.
      if (attempt.resumes && 'ALPNProtocols' in alpn) expect(closed?.resumed).toBe(true);
    });
  });
});
