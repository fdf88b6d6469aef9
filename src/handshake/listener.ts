/** Accepts connections, has each source address admitted before any TLS work, and performs the TLS handshake within limits. */
import type { X509Certificate } from 'node:crypto';
import net from 'node:net';
import type { TLSSocket } from 'node:tls';
import { GatewayError } from '../errors.ts';
import { LinkedSet, type LinkedSetEntry } from '../linked-set.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import { AcceptErrors } from './accept-errors.ts';
import { failed, failedByClose, failedByFault } from './failed-handshake.ts';
import type { TlsFault } from './failure-classifier.ts';
import { failure } from './failure-reasons.ts';
import { isExplainedByFirstBytes } from './first-bytes.ts';
import { type HandshakeResult, Inbound } from './inbound.ts';
import { ObservedAddresses, readFirstBytes } from './observed-addresses.ts';
import type { Offer } from './offer-mismatch.ts';
import { plainHttpResponse } from './plain-http.ts';
import { PostHandshakeErrors } from './post-handshake-errors.ts';
import { offeredKeys } from './server-keys.ts';
import { TlsServers, transportOf } from './tls-servers.ts';
import { UnfinishedHandshakes } from './unfinished-handshakes.ts';

/** Links a TCP socket to its connection until the handshake is done. */
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
  /** Decides on the source; true: begin the handshake. If it returns false, it has recorded and closed the connection. */
  readonly admit: (inbound: Inbound) => boolean | Promise<boolean>;
  /** The handshake is done; the callee records the connection. */
  readonly onSecure: (inbound: Inbound, socket: TLSSocket) => void;
  /**
   * The leaf's part of a record (audit/record.ts), for a client that did not prove that it owns the leaf; null: it cannot
   * be read.
   */
  readonly describeLeaf: (leaf: X509Certificate) => string | null;
  /** The connection has closed, whatever its result. */
  readonly onClose?: (inbound: Inbound) => void;
}

const stopped = failure('shutdown');
/** Turns of the event loop until a TLS socket behind an inspector has closed after its TCP socket. */
const INSPECTOR_TURNS = 4;

export class Listener {
  readonly #options: ListenerOptions;
  #snapshot: PolicySnapshot;
  readonly #server: net.Server;
  readonly #tls: TlsServers;
  /** Every connection from accept to close. */
  readonly #open = new LinkedSet<net.Socket>();
  #whenEmpty: (() => void)[] = [];
  readonly #unfinished: UnfinishedHandshakes;
  readonly #laterErrors: PostHandshakeErrors;
  readonly #observed = new ObservedAddresses();
  /** Address and port, as in records. */
  #name = '';

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#snapshot = options.snapshot;
    this.#laterErrors = new PostHandshakeErrors(options.recorder);
    this.#server = net.createServer({
      noDelay: true,
      // A PROXY header is removed before TLS reads the first byte. TLS resumes the socket itself.
      pauseOnConnect: true,
    });
    this.#tls = new TlsServers({
      snapshot: options.snapshot,
      onSecure: (socket) => this.#secure(socket),
      onHello: (socket, alpn) =>
        this.#inboundOf(socket)?.helloRead({
          ...{ tlsVersion: socket.getProtocol(), alpn },
          resumed: socket.isSessionReused(),
        }),
      onError: (error, socket) => this.#failByFault(error, socket),
      onRefused: (inbound, { reason, detail }) => this.#fail(inbound, failed(failure(reason, detail))),
    });
    this.#unfinished = new UnfinishedHandshakes({
      snapshot: () => this.#snapshot,
      onFailed: (inbound, result) => this.#fail(inbound, result),
    });
    this.#server.on('connection', (socket) => this.#accept(socket));
  }

  /** Number of connections between accept and the end of their handshake. */
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
        reject(new GatewayError({ code, message, cause }));
      };
      this.#server.once('error', fail);
      this.#server.listen({ host: address, port, reusePort, backlog: 4096 }, () => {
        this.#server.off('error', fail);
        const errors = new AcceptErrors(this.#options.recorder);
        this.#server.on('error', (error) => errors.report(error));
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
    this.#unfinished.close();
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
    transport.on('close', () => {
      meter.connections--;
      // The TLS socket, the reader of the PROXY header or `onSecure` may report the cause a few turns later.
      const turns = inbound.recorded ? 0 : inbound.inspector === null ? 1 : INSPECTOR_TURNS;
      afterTurns(turns, () => this.#remove(inbound, { entry, handshake }));
    });
    // Node has destroyed the socket, and 'close' follows.
    transport.on('error', ignore);
    const admitted = this.#options.admit(inbound);
    if (typeof admitted === 'boolean') this.#begin(inbound, admitted);
    else void admitted.then((yes) => this.#begin(inbound, yes));
  }

  #remove(
    inbound: Inbound,
    at: { entry: LinkedSetEntry<net.Socket>; handshake: LinkedSetEntry<Inbound> },
  ): void {
    this.#open.delete(at.entry);
    this.#unfinished.delete(at.handshake);
    inbound.share?.release();
    if (!inbound.recorded) inbound.record(failedByClose(inbound, { offer: this.#offerTo(inbound) }));
    this.#options.onClose?.(inbound);
    detach(inbound.transport);
    if (this.#open.size === 0) for (const resolve of this.#whenEmpty.splice(0)) resolve();
  }

  #begin(inbound: Inbound, admitted: boolean): void {
    // A refused connection no longer counts as unfinished, though its socket takes a moment to close.
    if (!admitted) this.#finish(inbound.transport);
    else if (!inbound.transport.destroyed) {
      inbound.admitted = true;
      if (inbound.share === null && this.#observed.has(inbound.address, inbound.acceptedAt))
        this.#observe(inbound);
      else this.#tls.begin(inbound);
    }
  }

  /** Reads the first bytes before TLS does. */
  #observe(inbound: Inbound): void {
    readFirstBytes(inbound.transport, {
      bytes: (bytes) => {
        inbound.observed = bytes;
      },
      complete: () => {
        if (!inbound.transport.destroyed) this.#tls.begin(inbound);
      },
      // With the code that Node gives a connection that TLS has begun to read.
      end: (how) =>
        this.#fail(
          inbound,
          failedByClose(inbound, { ...how, code: 'ECONNRESET', offer: this.#offerTo(inbound) }),
        ),
    });
  }

  #secure(socket: TLSSocket): void {
    const inbound = this.#inboundOf(socket);
    // Node leaves the socket open after an error of TLS, but both sides must close at once (RFC 8446 §6.2). A request in
    // progress then counts as abandoned by its client.
    socket.on('error', (error: TlsFault) => {
      if (inbound !== null) this.#laterErrors.report(inbound.connId, error);
      socket.destroy();
    });
    if (inbound === null) return void socket.destroy();
    this.#finish(inbound.transport);
    inbound.share?.handshakeDone();
    inbound.observed = null;
    socket.on('close', () => detach(socket));
    // Not earlier: a client that ends during the handshake has gone; one that ends after its request expects the response.
    socket.allowHalfOpen = true;
    this.#options.onSecure(inbound, socket);
  }

  #failByFault(error: TlsFault, socket: TLSSocket): void {
    const inbound = this.#inboundOf(socket);
    if (inbound !== null && !inbound.recorded) {
      const { describeLeaf } = this.#options;
      const result = failedByFault(error, socket, {
        ...{ inbound, describeLeaf },
        offer: this.#offerTo(inbound),
      });
      if (inbound.share === null && isExplainedByFirstBytes(result.reason))
        this.#observed.add(inbound.address, inbound.acceptedAt);
      // Sent before the socket closes: OpenSSL has read the request and sent nothing.
      if (result.reason === 'plain_http' && this.#snapshot.rejectWith === 'http')
        inbound.transport.end(plainHttpResponse(inbound.connId));
      this.#fail(inbound, result);
    }
    socket.destroy();
  }

  #offerTo({ share }: Inbound): () => Offer {
    return () => ({ ...offeredKeys(this.#snapshot), isListed: share === null });
  }

  #fail(inbound: Inbound, result: HandshakeResult): void {
    inbound.record(result);
    if (!inbound.transport.destroyed) inbound.transport.destroy();
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
 * Removes the listeners of a closed socket, so that it refers to no object of the gateway. V8's collections of young objects
 * keep whatever a Node handle refers to: otherwise every connection would be copied twice and wait for a full collection.
 */
function detach(socket: net.Socket): void {
  socket.removeAllListeners();
  socket.on('error', ignore);
}
