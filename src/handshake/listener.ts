/** Accepts connections, lets the source be judged before any TLS work, and shakes hands within bounds. */
import type { X509Certificate } from 'node:crypto';
import net from 'node:net';
import type { TLSSocket } from 'node:tls';
import { GatewayError } from '../errors.ts';
import { LinkedSet, type LinkedSetEntry } from '../linked-set.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import { AcceptFailures } from './accept-errors.ts';
import { ended, failed, failedByFault, timedOut } from './failed-handshake.ts';
import { failure, type TlsFault } from './failure-classifier.ts';
import { type HandshakeResult, Inbound } from './inbound.ts';
import { plainHttpAnswer } from './plain-http.ts';
import { BrokenConnections } from './post-handshake-errors.ts';
import { TlsServers, transportOf } from './tls-servers.ts';

/** Leads from a TCP socket to its connection while the handshake is not done. */
const unfinished = Symbol('unfinished');
type Transport = net.Socket & { [unfinished]?: LinkedSetEntry<Inbound> };

export interface ListenOptions {
  readonly address: string;
  readonly port: number;
  /** Several relay threads share the port. */
  readonly reusePort: boolean;
}

interface ListenerOptions {
  readonly listen: ListenOptions;
  readonly snapshot: PolicySnapshot;
  readonly recorder: Recorder;
  /** Judges the source; true or a promise of it: shake hands. The refused are recorded and destroyed by the callee. */
  readonly admit: (inbound: Inbound) => boolean | Promise<boolean>;
  /** The handshake is done; the callee records the connection. */
  readonly onSecure: (inbound: Inbound, socket: TLSSocket) => void;
  /** The leaf's part of a record (audit/record.ts), for a client that did not prove to be its owner; null: unreadable. */
  readonly describeLeaf: (leaf: X509Certificate) => string | null;
  /** The connection has closed, whatever came of it. */
  readonly onClose?: (inbound: Inbound) => void;
}

const stopped = { reason: 'shutdown', detail: 'the gateway stopped before the handshake was done' } as const;
/** How often handshakes are looked at that take too long, ms. */
const SWEEP_MS = 250;
/** Turns of the event loop until a TLS socket behind a gate has closed after its TCP socket. */
const GATE_TURNS = 4;
/** How many times limits.handshakeBytes an address may send that the allowlist names. */
const NAMED_FACTOR = 4;

export class Listener {
  readonly #options: ListenerOptions;
  #snapshot: PolicySnapshot;
  readonly #server: net.Server;
  readonly #tls: TlsServers;
  /** Every connection from accept to close. */
  readonly #open = new LinkedSet<net.Socket>();
  #whenEmpty: (() => void)[] = [];
  /** Oldest first. */
  readonly #unfinished = new LinkedSet<Inbound>();
  readonly #sweep: NodeJS.Timeout;
  readonly #broken: BrokenConnections;
  /** Address and port, as records name it. */
  #name = '';

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#snapshot = options.snapshot;
    this.#broken = new BrokenConnections(options.recorder);
    this.#server = net.createServer({
      noDelay: true,
      // A PROXY header must be taken off before TLS sees the first byte; TLS starts reading by itself.
      pauseOnConnect: true,
    });
    this.#tls = new TlsServers({
      snapshot: options.snapshot,
      onSecure: (socket) => this.#secure(socket),
      onError: (error, socket) => this.#failed(error, socket),
      onRefused: (inbound, { reason, detail }) => this.#fail(inbound, failed(failure(reason, detail))),
    });
    this.#server.on('connection', (socket) => this.#accept(socket));
    this.#sweep = setInterval(() => this.#timeOut(), SWEEP_MS).unref();
  }

  /** Connections between accept and the end of their handshake. */
  get unfinished(): number {
    return this.#unfinished.size;
  }

  /** Throws GatewayError ADDRESS_IN_USE or LISTEN. */
  async open(): Promise<{ address: string; port: number }> {
    const { address, port, reusePort } = this.#options.listen;
    await new Promise<void>((resolve, reject) => {
      const fail = (cause: NodeJS.ErrnoException) => {
        const code = cause.code === 'EADDRINUSE' ? 'ADDRESS_IN_USE' : 'LISTEN';
        const message = `cannot listen on ${address}:${port}: ${cause.code}`;
        reject(new GatewayError({ code, side: 'internal', message, cause }));
      };
      this.#server.once('error', fail);
      this.#server.listen({ host: address, port, reusePort, backlog: 4096 }, () => {
        this.#server.off('error', fail);
        const failures = new AcceptFailures(this.#options.recorder);
        this.#server.on('error', (error) => failures.report(error));
        resolve();
      });
    });
    const bound = this.#server.address() as net.AddressInfo;
    this.#name = `${bound.address}:${bound.port}`;
    return { address: bound.address, port: bound.port };
  }

  /** New handshakes use the snapshot's certificates, CA names and ticket keys. */
  update(snapshot: PolicySnapshot): void {
    this.#snapshot = snapshot;
    this.#tls.update(snapshot);
  }

  /** Stops accepting. */
  close(): void {
    this.#server.close();
  }

  /** Resolves when no connection is left. */
  readonly empty = (): Promise<void> =>
    new Promise((resolve) => {
      if (this.#open.size === 0) resolve();
      else this.#whenEmpty.push(resolve);
    });

  /** Ends every connection that is left. */
  abort(): void {
    clearInterval(this.#sweep);
    for (const inbound of this.#unfinished.members()) this.#fail(inbound, failed(stopped));
    for (const transport of this.#open.members()) transport.destroy();
  }

  #accept(transport: Transport): void {
    const inbound = new Inbound(transport, {
      listener: this.#name,
      recorder: this.#options.recorder,
    });
    const { meter } = this.#options.recorder;
    meter.connections++;
    const entry = this.#open.add(transport);
    const handshake = this.#unfinished.add(inbound);
    transport[unfinished] = handshake;
    transport.once('close', () => {
      meter.connections--;
      // Why it closed is known a moment later: by the TLS socket, by the reader of a PROXY header, or by the judge.
      const turns = inbound.recorded ? 0 : inbound.gate === null ? 1 : GATE_TURNS;
      afterTurns(turns, () => this.#leave(inbound, { entry, handshake }));
    });
    // Node has destroyed the socket, and 'close' follows.
    transport.on('error', ignore);
    const admitted = this.#options.admit(inbound);
    if (typeof admitted === 'boolean') this.#begin(inbound, admitted);
    else void admitted.then((yes) => this.#begin(inbound, yes));
  }

  #leave(
    inbound: Inbound,
    at: { entry: LinkedSetEntry<net.Socket>; handshake: LinkedSetEntry<Inbound> },
  ): void {
    this.#open.delete(at.entry);
    this.#unfinished.delete(at.handshake);
    inbound.share?.leave();
    this.#fail(inbound, ended(inbound));
    this.#options.onClose?.(inbound);
    letGo(inbound.transport);
    if (this.#open.size === 0) for (const resolve of this.#whenEmpty.splice(0)) resolve();
  }

  #begin(inbound: Inbound, admitted: boolean): void {
    // Who was refused counts no longer, though the socket takes a moment to close.
    if (!admitted) this.#finish(inbound.transport);
    else if (!inbound.transport.destroyed) {
      inbound.admitted = true;
      this.#tls.begin(inbound);
    }
  }

  #secure(socket: TLSSocket): void {
    const inbound = this.#inboundOf(socket);
    // After an error of TLS Node leaves the socket open; both sides must close at once (RFC 8446 §6.2), and whose
    // message is under way has gone.
    socket.on('error', (error: TlsFault) => {
      if (inbound !== null) this.#broken.report(inbound.connId, error);
      socket.destroy();
    });
    if (inbound === null) return void socket.destroy();
    this.#finish(inbound.transport);
    inbound.share?.handshakeDone();
    socket.once('close', () => letGo(socket));
    // Only now: a client that ends before its handshake is gone, one that ends after its request wants the answer.
    socket.allowHalfOpen = true;
    this.#options.onSecure(inbound, socket);
  }

  #failed(error: TlsFault, socket: TLSSocket): void {
    const inbound = this.#inboundOf(socket);
    if (inbound !== null && !inbound.recorded) {
      const { describeLeaf } = this.#options;
      const result = failedByFault(error, socket, { inbound, describeLeaf });
      // It leaves before the socket closes: OpenSSL has read what came and sent nothing.
      if (result.reason === 'plain_http' && this.#snapshot.rejectWith === 'http')
        inbound.transport.end(plainHttpAnswer(inbound.connId));
      this.#fail(inbound, result);
    }
    socket.destroy();
  }

  #fail(inbound: Inbound, result: HandshakeResult): void {
    inbound.record(result);
    if (!inbound.transport.destroyed) inbound.transport.destroy();
  }

  #timeOut(): void {
    const oldest = performance.now() - this.#snapshot.timeouts.handshake;
    const maxBytes = this.#snapshot.limits.handshakeBytes * NAMED_FACTOR;
    for (const inbound of this.#unfinished.members()) {
      // Gates count for themselves, as the bytes come.
      if (inbound.gate === null && inbound.admitted && inbound.transport.bytesRead > maxBytes)
        this.#fail(
          inbound,
          failed(failure('handshake_too_large', `the client sent more than ${maxBytes} bytes`)),
        );
      if (inbound.acceptedAt > oldest) continue;
      // Who is still to be admitted is waited for elsewhere, and for as long (admission.ts).
      if (inbound.admitted) this.#fail(inbound, timedOut(inbound));
    }
  }

  #finish(transport: Transport): void {
    this.#unfinished.delete(transport[unfinished] ?? null);
  }

  #inboundOf(socket: TLSSocket): Inbound | null {
    return (transportOf(socket) as Transport | null)?.[unfinished]?.member ?? null;
  }
}

const ignore = (): void => {};

function afterTurns(turns: number, work: () => void): void {
  if (turns === 0) work();
  else setImmediate(afterTurns, turns - 1, work);
}

/**
 * A closed socket leads to nothing of ours any more: V8's collections of young objects keep whatever a handle of Node's
 * leads to, so every connection would be copied twice and wait for a full collection.
 */
function letGo(socket: net.Socket): void {
  socket.removeAllListeners();
  socket.on('error', ignore);
}
