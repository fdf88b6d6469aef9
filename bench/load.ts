/** The load generator's process: executes orders over raw sockets, and reports the count of messages and handshakes. */
import type { Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import { makeMessage } from './message.ts';
import type { LoadAnswer, LoadOrder, LoadResult } from './modes.ts';
import { pace } from './pace.ts';
import { describe, Place, type Target, type Witness } from './place.ts';

type Prepare = Extract<LoadOrder, { type: 'prepare' }>;

/** Milliseconds that an order may last longer than asked, and that each connection may take to open. */
const patience = 5_000;
const opening = 50;
/** Connections that are opened at the same time. */
const openers = 8;

let identity: Extract<LoadOrder, { type: 'identity' }>;
let places: Place[] = [];
let tally = { messages: 0, full: 0, resumed: 0 };
let negotiated = '';

const witness: Witness = {
  opened(socket: Socket) {
    if (socket instanceof TLSSocket) tally[socket.isSessionReused() ? 'resumed' : 'full'] += 1;
    if (negotiated === '') negotiated = describe(socket);
  },
  answered() {
    tally.messages += 1;
  },
  failed: fail,
};

function targetOf({ port, mode, token, plain = false }: Prepare): Target {
  const { certificates, offer } = identity;
  const secureContext = createSecureContext({
    ca: certificates.root,
    cert: certificates.client.chain,
    key: certificates.client.key,
    minVersion: mode.version,
    maxVersion: mode.version,
    ciphers: offer.ciphers,
    ecdhCurve: offer.groups,
  });
  const message = makeMessage({ port, token, close: mode.handshake !== 'none' });
  return { mode, message, connection: { host: '127.0.0.1', port, secureContext }, plain };
}

async function prepare(order: Prepare): Promise<void> {
  const { silent = false } = order;
  const target = targetOf(order);
  places = Array.from({ length: order.mode.connections }, () => new Place(target, witness));
  negotiated = '';
  const waiting = places.values();
  const open = async () => {
    for (const place of waiting) await place.prepare({ silent });
  };
  await Promise.all(Array.from({ length: openers }, open));
}

/** A closed loop: a new message starts when a response is complete. */
async function run(milliseconds: number): Promise<void> {
  const until = performance.now() + milliseconds;
  const loop = async (place: Place) => {
    while (performance.now() < until) {
      await place.send();
      await place.rest();
    }
  };
  await Promise.all(places.map(loop));
}

/** What was measured beside the counts. */
async function obey(order: LoadOrder): Promise<Pick<LoadResult, 'times'>> {
  switch (order.type) {
    case 'identity':
      identity = order;
      return {};
    case 'prepare':
      await prepare(order);
      return {};
    case 'run':
      await run(order.milliseconds);
      return {};
    case 'pace':
      return { times: await pace(places, order) };
    case 'rest':
      await Promise.all(places.map((place) => place.close()));
      return {};
    default:
      return order satisfies never;
  }
}

function reply(answer: LoadAnswer): void {
  process.send?.(answer);
}

function fail(reason: string): void {
  reply({ type: 'failed', reason });
  process.disconnect?.();
  process.exitCode = 1;
}

process.on('message', async (order: LoadOrder) => {
  tally = { messages: 0, full: 0, resumed: 0 };
  const asked = 'milliseconds' in order ? order.milliseconds : 0;
  const allowance = patience + asked + (order.type === 'prepare' ? order.mode.connections * opening : 0);
  const watchdog = setTimeout(() => fail(`${order.type}: no end after ${allowance} ms`), allowance);
  const started = performance.now();
  const measured = await obey(order);
  clearTimeout(watchdog);
  const { messages, full, resumed } = tally;
  const milliseconds = performance.now() - started;
  const result: LoadResult = {
    messages,
    handshakes: { full, resumed },
    negotiated,
    milliseconds,
    ...measured,
  };
  reply({ type: 'done', result });
});
process.on('disconnect', () => process.exit());
