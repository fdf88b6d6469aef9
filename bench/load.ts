/** The load generator: a closed loop of messages over raw TLS sockets, every answer checked, handshakes counted. */
import { type ConnectionOptions, connect, createSecureContext, type TLSSocket } from 'node:tls';
import { makeMessage } from './message.ts';
import type { LoadAnswer, LoadOrder, LoadResult, Mode } from './modes.ts';

/** A slice that lasts this many milliseconds longer than asked has a message without an answer. */
const patience = 5_000;

/** One place of the closed loop: its connection, and the ticket that its next one may resume with. */
interface Place {
  socket?: TLSSocket;
  session?: Buffer;
  /** The beginning of an answer whose end has not come. */
  partial?: Buffer | undefined;
  answered?: (() => void) | undefined;
  readonly input: Buffer;
}

interface Target {
  readonly mode: Mode;
  readonly message: Buffer;
  readonly connection: ConnectionOptions;
}

let identity: Extract<LoadOrder, { type: 'identity' }>;
let target: Target;
let places: Place[] = [];
let tally = { messages: 0, full: 0, resumed: 0 };
let negotiated = '';

function open(place: Place, session: Buffer | undefined): Promise<void> {
  return new Promise((resolve) => {
    const onread = {
      buffer: place.input,
      callback: (length: number) => {
        receive(place, place.input.subarray(0, length));
        return true;
      },
    };
    const options = { ...target.connection, onread, ...(session === undefined ? {} : { session }) };
    const socket = connect(options);
    place.socket = socket;
    socket.on('session', (ticket: Buffer) => {
      place.session = ticket;
    });
    socket.on('error', (error: Error) => fail(`connection: ${error.message}`));
    socket.on('close', () => {
      if (place.answered !== undefined) fail('connection closed before the answer was complete');
    });
    socket.once('secureConnect', () => {
      tally[socket.isSessionReused() ? 'resumed' : 'full'] += 1;
      if (negotiated === '') negotiated = describe(socket);
      resolve();
    });
  });
}

function exchange(place: Place): Promise<void> {
  return new Promise((resolve) => {
    place.answered = resolve;
    place.socket?.write(target.message);
  });
}

/** Resolves when the gateway has closed too. */
function close(place: Place): Promise<void> {
  return new Promise((resolve) => {
    const { socket } = place;
    if (socket === undefined || socket.destroyed) return resolve();
    socket.once('close', () => resolve());
    socket.end();
  });
}

function receive(place: Place, chunk: Buffer): void {
  const bytes = place.partial === undefined ? chunk : Buffer.concat([place.partial, chunk]);
  place.partial = undefined;
  const body = bytes.indexOf('\r\n\r\n') + 4;
  const head = bytes.toString('latin1', 0, body);
  const end = body + Number(/\r\ncontent-length: *(\d+)\r\n/i.exec(head)?.[1] ?? Number.NaN);
  if (body < 4 || bytes.length < end) {
    // The input buffer is used again by the next read.
    place.partial = Buffer.from(bytes);
    return;
  }
  const correct = head.startsWith('HTTP/1.1 200 ') && bytes.includes('"Acknowledgement":"1"', body);
  const { answered } = place;
  if (!correct || bytes.length !== end || answered === undefined) {
    fail(`unexpected answer:\n${bytes.toString('latin1', 0, 400)}`);
    return;
  }
  place.answered = undefined;
  tally.messages += 1;
  answered();
}

function describe(socket: TLSSocket): string {
  const group = socket.getEphemeralKeyInfo() as { name?: string; type?: string } | null;
  return `${socket.getProtocol()} ${socket.getCipher().standardName} ${group?.name ?? group?.type ?? ''}`.trim();
}

/** One message of one place, with a handshake of the mode's kind where the mode has one per message. */
async function sendOne(place: Place): Promise<void> {
  const { handshake } = target.mode;
  if (handshake !== 'none') await open(place, handshake === 'resumed' ? place.session : undefined);
  await exchange(place);
  if (handshake !== 'none') await close(place);
}

/** Opens what the mode keeps open, or fetches the tickets that it resumes with: one message for each place. */
async function prepare(order: Extract<LoadOrder, { type: 'prepare' }>): Promise<void> {
  const { port, mode } = order;
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
  target = {
    mode,
    message: makeMessage({ port, close: mode.handshake !== 'none' }),
    connection: { host: '127.0.0.1', port, secureContext, ...{ noDelay: true } },
  };
  places = Array.from({ length: mode.connections }, () => ({ input: Buffer.allocUnsafe(16_384) }));
  negotiated = '';
  for (const place of places) {
    await open(place, undefined);
    await exchange(place);
    if (mode.handshake !== 'none') await close(place);
  }
}

async function run(milliseconds: number): Promise<void> {
  const until = performance.now() + milliseconds;
  const loop = async (place: Place) => {
    while (performance.now() < until) await sendOne(place);
  };
  await Promise.all(places.map(loop));
}

async function obey(order: LoadOrder): Promise<void> {
  switch (order.type) {
    case 'identity':
      identity = order;
      return;
    case 'prepare':
      return prepare(order);
    case 'run':
      return run(order.milliseconds);
    case 'rest':
      await Promise.all(places.map(close));
      return;
    default:
      order satisfies never;
  }
}

function tell(answer: LoadAnswer): void {
  process.send?.(answer);
}

function fail(reason: string): void {
  tell({ type: 'failed', reason });
  process.disconnect?.();
  process.exitCode = 1;
}

process.on('message', async (order: LoadOrder) => {
  tally = { messages: 0, full: 0, resumed: 0 };
  const allowance = (order.type === 'run' ? order.milliseconds : 0) + patience;
  const watchdog = setTimeout(() => fail(`${order.type}: no end after ${allowance} ms`), allowance);
  const started = performance.now();
  await obey(order);
  clearTimeout(watchdog);
  const { messages, full, resumed } = tally;
  const milliseconds = performance.now() - started;
  const result: LoadResult = { messages, handshakes: { full, resumed }, negotiated, milliseconds };
  tell({ type: 'done', result });
});
process.on('disconnect', () => process.exit());
