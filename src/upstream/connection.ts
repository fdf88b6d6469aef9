/** One connection to the internal host; what happens on it is told to the exchange that holds it. */
import net from 'node:net';

/** Who holds a connection. */
export interface UpstreamUser {
  onUpstreamConnect(): void;
  /** Bytes 0 to `end` of a buffer that is used again after the call: take or copy them. */
  onUpstreamBytes(bytes: Buffer, end: number): void;
  /** What was written has left; more may be written. */
  onUpstreamDrain(): void;
  /** The host sent FIN. */
  onUpstreamEnd(): void;
  /** The connection is gone without FIN: refused, reset, timed out. */
  onUpstreamLost(why: UpstreamLoss): void;
}

export type UpstreamLoss = 'connect_failed' | 'connect_timeout' | 'closed_early';

/** Every read of a relay thread lands here: libuv hands the bytes over before it reads the next socket. */
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024);

export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** Milliseconds. */
  readonly connectTimeout: number;
}

export class UpstreamConnection {
  user: UpstreamUser | null;
  /** At least one byte was handed to the socket for the message at hand: it must not be sent again. */
  written = false;
  /** FIN, reset or failure was delivered: never to be picked again. */
  ended = false;
  connected = false;

  readonly #socket: net.Socket;

  constructor(endpoint: Endpoint, user: UpstreamUser) {
    this.user = user;
    this.#socket = net.connect({
      host: endpoint.host,
      port: endpoint.port,
      noDelay: true,
      onread: {
        buffer: readBuffer,
        callback: (size) => {
          this.#onRead(size);
          return true;
        },
      },
    });
    const timer = setTimeout(() => this.#lose('connect_timeout'), endpoint.connectTimeout);
    this.#socket.on('connect', () => {
      clearTimeout(timer);
      this.connected = true;
      this.user?.onUpstreamConnect();
    });
    this.#socket.on('drain', () => this.user?.onUpstreamDrain());
    this.#socket.on('end', () => this.#end());
    this.#socket.on('error', () => this.#lose(this.connected ? 'closed_early' : 'connect_failed'));
    this.#socket.on('close', () => {
      clearTimeout(timer);
      this.#lose('closed_early');
    });
  }

  /** False: wait for `onUpstreamDrain`. */
  write(bytes: Buffer): boolean {
    this.written = true;
    return this.#socket.write(bytes);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  destroy(): void {
    this.ended = true;
    this.user = null;
    this.#socket.destroy();
  }

  #onRead(size: number): void {
    if (this.user !== null) this.user.onUpstreamBytes(readBuffer, size);
    // Bytes that nobody asked for: an answer to nothing. The connection cannot be trusted any more.
    else this.destroy();
  }

  #end(): void {
    if (this.ended) return;
    this.ended = true;
    if (this.user === null) this.#socket.destroy();
    else this.user.onUpstreamEnd();
  }

  #lose(why: UpstreamLoss): void {
    if (this.ended) return;
    this.ended = true;
    const user = this.user;
    this.destroy();
    user?.onUpstreamLost(why);
  }
}
