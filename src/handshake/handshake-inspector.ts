/**
 * Stands between the TCP socket and TLS of a caller that the allowlist does not name, so that JavaScript sees what OpenSSL
 * would work on before it does. Node lets nobody look in between where TLS reads from the TCP socket itself, which costs
 * 16 µs less for each message: so named callers have no gate.
 */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { ClientFlight, type FlightRefusal } from './client-flight.ts';
import type { Inbound } from './inbound.ts';

/** So much is passed on at once before the client is admitted: 150 KeyUpdates, the smallest records that TLS answers. */
const SLICE_BYTES = 4096;

interface GateOptions {
  /** The client's part of the handshake. */
  readonly maxBytes: number;
  /** What came is not passed on; the callee records and closes the connection. */
  readonly onRefused: (refusal: FlightRefusal) => void;
}

/**
 * A duplex stream that hands on each call and event at once instead of keeping bytes itself: what one write to OpenSSL
 * makes it say, its keys above all, must be known before the next.
 */
export class Gate extends Duplex {
  readonly inbound: Inbound;
  readonly #transport: Socket;
  readonly #options: GateOptions;
  readonly #flight: ClientFlight;
  /** Milliseconds of CPU time that this thread has spent on the handshake. */
  #spent = 0;
  /** Known from its first secret on: until then nothing can be decrypted. */
  #socket: TLSSocket | null = null;
  #open = false;
  #passed = 0;
  /** Asked after each piece that was passed on; false: the connection is closed. */
  #check: () => boolean = () => true;

  constructor(inbound: Inbound, options: GateOptions) {
    super({ allowHalfOpen: true });
    this.inbound = inbound;
    this.#transport = inbound.transport;
    this.#options = options;
    this.#flight = new ClientFlight(options);
    const transport = this.#transport;
    // TLS decides when to close: a client that has closed its half may still wait for its answer.
    transport.allowHalfOpen = true;
    // Whoever waits for TLS hears of it there.
    this.on('error', () => {});
    transport.on('data', (chunk: Buffer) => this.#pass(chunk));
    transport.on('end', () => {
      // Before the handshake is done nobody waits for an answer: the client is gone.
      if (this.#open) this.emit('end');
      else this.destroy();
    });
    transport.on('error', (error) => this.destroy(error));
    transport.on('close', () => this.destroy());
  }

  /** Bytes that TLS has been given. */
  get passed(): number {
    return this.#passed;
  }

  /** Milliseconds of CPU time; after the handshake it grows no more. */
  get spent(): number {
    return this.#spent;
  }

  keyLog(line: Buffer, socket: TLSSocket): void {
    this.#socket = socket;
    this.#flight.keyLog(line, {
      cipher: socket.getCipher()?.standardName,
      resumed: socket.isSessionReused(),
    });
  }

  /** The handshake is done. `check`: whether the connection may go on, asked after each piece that was passed on. */
  open(socket: TLSSocket, check: () => boolean): void {
    this.#socket = socket;
    this.#open = true;
    this.#check = check;
    this.#flight.end();
  }

  #pass(chunk: Buffer): void {
    if (this.#isClosed()) return;
    if (this.#open) this.#passOpen(chunk);
    else this.#passHandshake(chunk);
  }

  /**
   * A TLS socket that has failed lets go of this stream only in the next turn. Node throws where more can be decrypted until
   * then (ERR_OUT_OF_RANGE, Node 26.10), which would end the thread.
   */
  #isClosed(): boolean {
    return this.destroyed || this.#transport.destroyed || (this.#socket?.destroyed ?? false);
  }

  #passHandshake(chunk: Buffer): void {
    this.#flight.offer(chunk);
    const before = process.threadCpuUsage();
    for (let bytes = this.#flight.next(); bytes !== null; bytes = this.#flight.next()) {
      this.#give(bytes);
      if (this.#isClosed()) break;
      if (this.#open) {
        this.#count(before);
        const rest = this.#flight.next();
        return rest === null ? undefined : this.#passOpen(rest);
      }
    }
    this.#count(before);
    const { refusal } = this.#flight;
    if (refusal === null || this.#isClosed()) return;
    const alert = this.#flight.alert();
    if (alert !== null) this.#transport.write(alert);
    this.#options.onRefused(refusal);
  }

  #count(before: NodeJS.CpuUsage): void {
    const { user, system } = process.threadCpuUsage(before);
    this.#spent += (user + system) / 1000;
  }

  #passOpen(chunk: Buffer): void {
    const slice = this.inbound.client === null ? SLICE_BYTES : chunk.length;
    for (let at = 0; at < chunk.length; at += slice) {
      this.#give(chunk.subarray(at, at + slice));
      if (this.#isClosed() || !this.#check()) return;
    }
  }

  #give(bytes: Buffer): void {
    this.#passed += bytes.length;
    this.emit('data', bytes);
  }

  override pause(): this {
    this.#transport.pause();
    return this;
  }

  override resume(): this {
    this.#transport.resume();
    return this;
  }

  override cork(): void {
    this.#transport.cork();
  }

  override uncork(): void {
    this.#transport.uncork();
  }

  override write(chunk: unknown, ...rest: unknown[]): boolean {
    return (this.#transport.write as (...all: unknown[]) => boolean).call(this.#transport, chunk, ...rest);
  }

  override end(...rest: unknown[]): this {
    (this.#transport.end as (...all: unknown[]) => Socket).call(this.#transport, ...rest);
    return this;
  }

  override _read(): void {}

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#flight.end();
    this.#transport.destroy();
    done(error);
  }
}
