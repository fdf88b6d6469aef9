/** Entry of a process: clients with a valid certificate that only keep connections open, and reconnect when cut off. */
import { type ConnectionOptions, connect, createSecureContext, type TLSSocket } from 'node:tls';

/** What an attacker does after its handshake; `none`: nothing, and it closes after ten seconds. */
export type Form = 'head' | 'body' | 'reader' | 'none';

export interface Attack {
  readonly form: Form;
  readonly attackers: number;
  /** Connections that they begin in a second, at most. */
  readonly pace: number;
  readonly port: number;
  /** PEM of the gateway's root, and of the attackers' certificate and key. */
  readonly ca: string;
  readonly leaf: { readonly chainPem: string; readonly keyPem: string };
}

/** `null` ends the attack and closes all connections. Each order is answered with the count before it. */
export type AttackersOrder = { readonly attack: Attack | null } | 'count';

export interface AttackersCount {
  readonly open: number;
  /** Connections that were begun since the order, and those of them that the gateway closed. */
  readonly begun: number;
  readonly cut: number;
}

/** Milliseconds. */
const dribble = 3_000;
const stay = 10_000;

const large = Buffer.from('GET /attack/large HTTP/1.1\r\nHost: ehi.example\r\n\r\n');

const forms: Readonly<Record<Form, (socket: TLSSocket) => void>> = {
  head: (socket) => drip(socket.resume(), Buffer.from(`POST / HTTP/1.1\r\nHost: ${'x'.repeat(1_000)}`)),
  body(socket) {
    socket.resume().write('POST /attack HTTP/1.1\r\nHost: ehi.example\r\nContent-Length: 1000\r\n\r\n');
    drip(socket, Buffer.alloc(1_000, 'x'));
  },
  // This client does not read, so it notices that it was cut off only when it writes.
  reader(socket) {
    socket.write(Buffer.concat([large, large, large, large]));
    repeat(socket, () => socket.write(large));
  },
  none(socket) {
    const timer = setTimeout(() => socket.destroy(), stay);
    socket.resume().once('close', () => clearTimeout(timer));
  },
};

/** A byte at once, and one every few seconds. */
function drip(socket: TLSSocket, bytes: Buffer): void {
  let at = 0;
  const next = () => socket.write(bytes.subarray(at, ++at));
  next();
  repeat(socket, next);
}

function repeat(socket: TLSSocket, step: () => void): void {
  const timer = setInterval(step, dribble);
  socket.once('close', () => clearInterval(timer));
}

const open = new Set<TLSSocket>();
let timer: NodeJS.Timeout | undefined;
let [begun, cut] = [0, 0];

function begin({ form, attackers, pace, port, ca, leaf }: Attack): void {
  [begun, cut] = [0, 0];
  const address = { host: '127.0.0.1', servername: '', localAddress: '127.0.0.2' };
  // Made once: it costs more than the handshake.
  const secureContext = createSecureContext({ ca, cert: leaf.chainPem, key: leaf.keyPem });
  const come = () => {
    const socket = connect({ ...address, port, secureContext } as ConnectionOptions);
    begun++;
    open.add(socket);
    socket.once('secureConnect', () => forms[form](socket));
    socket.on('error', () => {});
    socket.once('close', () => {
      if (open.delete(socket)) cut++;
    });
  };
  // One at a time, and missed ones are not made up for: together they would be a flood.
  timer = setInterval(() => {
    if (open.size < attackers) come();
  }, 1_000 / pace);
}

function end(): void {
  clearInterval(timer);
  const left = [...open];
  open.clear();
  for (const socket of left) socket.destroy();
}

process.on('message', (order: AttackersOrder) => {
  const count: AttackersCount = { open: open.size, begun, cut };
  if (order !== 'count') {
    end();
    if (order.attack !== null) begin(order.attack);
  }
  process.send?.(count);
});
process.on('disconnect', () => process.exit());
