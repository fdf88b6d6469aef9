/**
 * Sits between the TCP socket and TLS of a client from an unlisted address and inspects its bytes before OpenSSL processes
 * them. Node allows no such inspection where TLS reads from the TCP socket itself, which costs 16 µs less per message: so
 * clients from listed addresses have no inspector.
 */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { ClientFlight, type FlightRefusal } from './client-flight.ts';

/**
 * Bytes passed to TLS at once after the handshake, until the client is authorized: 150 KeyUpdates, the smallest records
 * that TLS answers.
 */
const SLICE_BYTES = 4096;

/** The connection that is inspected (inbound.ts). */
interface InspectedConnection {
  readonly transport: Socket;
  /** null: not authorized, or not yet. */
  readonly client: object | null;
}

interface InspectorOptions {
  /** Limit for what the client sends until its handshake is done. */
  readonly maxBytes: number;
  /** The refused bytes are not passed on; the callee records and closes the connection. */
  readonly onRefused: (refusal: FlightRefusal) => void;
}

/** With the code that Node gives a connection that ended during its handshake: TLS reports it before its state is gone. */
function closedEarly(): Error {
  return Object.assign(new Error('the client closed the connection'), { code: 'ECONNRESET' });
}

/**
 * A duplex stream that forwards each call and event synchronously instead of buffering: OpenSSL's output for one write,
 * above all the secrets in its key log, must be available before the next write.
 */
export class HandshakeInspector extends Duplex {
  readonly transport: Socket;
  readonly #connection: InspectedConnection;
  readonly #options: InspectorOptions;
  readonly #flight: ClientFlight;
  #cpuMs = 0;
  /** Set with the first secret of its key log: nothing can be decrypted before that. */
  #socket: TLSSocket | null = null;
  #resumed: boolean | null = null;
  #isDone = false;
  #bytesPassed = 0;
  /** Called after each slice that was passed on; false: the connection was closed. */
  #check: () => boolean = () => true;

  constructor(connection: InspectedConnection, options: InspectorOptions) {
    super({ allowHalfOpen: true });
    this.#connection = connection;
    this.transport = connection.transport;
    this.#options = options;
    this.#flight = new ClientFlight(options);
    const { transport } = this;
    // TLS decides when to close: a client that has closed its sending side may still wait for its response.
    transport.allowHalfOpen = true;
    // The TLS socket reports the error.
    this.on('error', () => {});
    transport.on('data', (chunk: Buffer) => this.#pass(chunk));
    transport.on('end', () => {
      // A client that ends before its handshake is done has gone: no response is due.
      if (this.#isDone) this.emit('end');
      else this.destroy(closedEarly());
    });
    transport.on('error', (error) => this.destroy(error));
    transport.on('close', () => this.destroy());
  }

  /** Bytes passed to TLS so far. */
  get bytesPassed(): number {
    return this.#bytesPassed;
  }

  /** As far as they came; empty once the handshake is done. */
  get firstBytes(): Buffer {
    return this.#flight.firstBytes;
  }

  /** The session is a resumed one; null: not known yet. */
  get resumed(): boolean | null {
    return this.#resumed;
  }

  /** CPU time of this thread for the handshake, ms; constant once the handshake is done. */
  get cpuMs(): number {
    return this.#cpuMs;
  }

  /** One line of the socket's key log, which is wiped. */
  keyLog(line: Buffer, socket: TLSSocket): void {
    this.#socket = socket;
    const resumed = socket.isSessionReused();
    this.#resumed = resumed;
    this.#flight.keyLog(line, { cipher: socket.getCipher()?.standardName, resumed });
  }

  /** The handshake is done. `check` is called after each slice that is passed on and returns whether to continue. */
  handshakeDone(socket: TLSSocket, check: () => boolean): void {
    this.#socket = socket;
    this.#isDone = true;
    this.#check = check;
    this.#flight.end();
    this.#flight.forget();
  }

  #pass(chunk: Buffer): void {
    if (this.#isClosed()) return;
    if (this.#isDone) this.#passSlices(chunk);
    else this.#passHandshake(chunk);
  }

  /**
   * A failed TLS socket detaches from this stream only in the next turn of the event loop. If more bytes could be decrypted
   * until then, Node 26.10 would throw ERR_OUT_OF_RANGE, which would end the thread.
   */
  #isClosed(): boolean {
    return this.destroyed || this.transport.destroyed || (this.#socket?.destroyed ?? false);
  }

  #passHandshake(chunk: Buffer): void {
    this.#flight.add(chunk);
    const before = process.threadCpuUsage();
    for (let bytes = this.#flight.next(); bytes !== null; bytes = this.#flight.next()) {
      this.#passToTls(bytes);
      if (this.#isClosed()) break;
      if (this.#isDone) {
        this.#addCpuTime(before);
        const rest = this.#flight.next();
        return rest === null ? undefined : this.#passSlices(rest);
      }
    }
    this.#addCpuTime(before);
    const { refusal } = this.#flight;
    if (refusal === null || this.#isClosed()) return;
    const alert = this.#flight.alert();
    if (alert !== null) this.transport.write(alert);
    this.#options.onRefused(refusal);
  }

  #addCpuTime(before: NodeJS.CpuUsage): void {
    const { user, system } = process.threadCpuUsage(before);
    this.#cpuMs += (user + system) / 1000;
  }

  #passSlices(chunk: Buffer): void {
    const slice = this.#connection.client === null ? SLICE_BYTES : chunk.length;
    for (let at = 0; at < chunk.length; at += slice) {
      this.#passToTls(chunk.subarray(at, at + slice));
      if (this.#isClosed() || !this.#check()) return;
    }
  }

  #passToTls(bytes: Buffer): void {
    this.#bytesPassed += bytes.length;
    this.emit('data', bytes);
  }

  override pause(): this {
    this.transport.pause();
    return this;
  }

  override resume(): this {
    this.transport.resume();
    return this;
  }

  override cork(): void {
    this.transport.cork();
  }

  override uncork(): void {
    this.transport.uncork();
  }

  override write(chunk: unknown, ...rest: unknown[]): boolean {
    return (this.transport.write as (...all: unknown[]) => boolean).call(this.transport, chunk, ...rest);
  }

  override end(...rest: unknown[]): this {
    (this.transport.end as (...all: unknown[]) => Socket).call(this.transport, ...rest);
    return this;
  }

  override _read(): void {}

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#flight.end();
    this.transport.destroy();
    done(error);
  }
}
