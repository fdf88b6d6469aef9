/** One connection to the internal host: first to whoever opens it, then to the exchange that holds it, it tells what happens. */
import net from 'node:net';
import type { Pool } from './pool.ts';
import type { TlsClient } from './tls.ts';

/** Who holds a connection. */
export interface UpstreamUser {
  /** Bytes 0 to `end` of a buffer that is used again after the call: take or copy them. */
  onUpstreamBytes(bytes: Buffer, end: number): void;
  /** What was written has left; more may be written. */
  onUpstreamDrain(): void;
  /** The host sent FIN. */
  onUpstreamEnd(): void;
  /** The connection is gone without FIN, or by an alert of TLS. */
  onUpstreamLost(why: UpstreamLoss): void;
}

export type ConnectFailureName = 'connect_failed' | 'connect_timeout' | 'upstream_tls';
export type UpstreamLoss = ConnectFailureName | 'closed_early';

export interface ConnectFailure {
  readonly why: ConnectFailureName;
  /** The system's or OpenSSL's code, as ECONNREFUSED or CERT_HAS_EXPIRED. */
  readonly cause: string;
}

/** Who opens a connection: hears exactly one of the two, later than the call that began it. */
export interface Opener {
  onOpen(connection: UpstreamConnection): void;
  onOpenFailed(failure: ConnectFailure): void;
}

/** An address and port, or a Unix socket's path. */
export type SocketAddress =
  | { readonly host: string; readonly port: number }
  | { readonly path: string; readonly host?: never };

interface ConnectionOptions {
  readonly to: SocketAddress;
  readonly tls: TlsClient | null;
  /** What is sent first, before TLS too; null: nothing. */
  readonly proxyHeader: Buffer | null;
  /** Milliseconds until it can be written to. */
  readonly timeout: number;
  /** Whose it is. */
  readonly pool: Pool;
  readonly opener: Opener;
}

/** Every read of a relay thread lands here: libuv hands the bytes over before it reads the next socket. */
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024);

/** A timer this much (ms) too late: the event loop stood still, and what the host sent meanwhile is still unread. */
const STALL_MS = 5;

export class UpstreamConnection {
  /** null: nobody expects anything on it. */
  user: UpstreamUser | null = null;
  /** FIN, reset or failure was delivered: never to be picked again. */
  ended = false;
  /** performance.now() from which on it is too old to be picked, ms. */
  idleUntil = 0;
  readonly pool: Pool;
  /** The address that it leads to; null: a Unix socket. */
  readonly address: string | null;

  readonly #socket: net.Socket;
  /** Until it can be written to. */
  #opener: Opener | null;
  #timer: NodeJS.Timeout | null;
  #due: number;
  #stage: 'connecting' | 'securing' | 'used' | 'idle' | 'gone' = 'connecting';
  #silent = true;

  constructor({ to, tls, proxyHeader, timeout, pool, opener }: ConnectionOptions) {
    this.address = to.host ?? null;
    this.pool = pool;
    this.#opener = opener;
    this.#due = performance.now() + timeout;
    this.#timer = setTimeout(() => this.#onTimeout(), timeout);
    const onread = { buffer: readBuffer, callback: (size: number) => this.#onRead(readBuffer, size) };
    if (tls === null) {
      this.#socket = net.connect({ ...to, noDelay: true, onread });
      this.#socket.on('connect', () => this.#openWith(proxyHeader));
    } else {
      this.#socket = tls.connect(to, { onread, proxyHeader });
      // Over a socket that was there before, Node takes no buffer to read into.
      if (proxyHeader !== null) this.#socket.on('data', (bytes: Buffer) => this.#onRead(bytes, bytes.length));
      this.#socket.on('connect', () => {
        this.#stage = 'securing';
      });
      this.#socket.on('secureConnect', () => this.#open());
    }
    this.#socket.on('drain', () => this.user?.onUpstreamDrain());
    this.#socket.on('end', () => this.#end());
    this.#socket.on('error', (error: NodeJS.ErrnoException) => this.#lose(error.code ?? 'unknown'));
    this.#socket.on('close', () => this.#lose('closed'));
  }

  /** False: wait for `onUpstreamDrain`. */
  write(bytes: Buffer): boolean {
    return this.#socket.write(bytes);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** From waiting to carrying a message. */
  claim(user: UpstreamUser): void {
    this.user = user;
    this.#enter('used');
  }

  /** From carrying a message to waiting, until `until` (performance.now(), ms). */
  park(until: number): void {
    this.user = null;
    this.idleUntil = until;
    this.#enter('idle');
  }

  /** Nobody hears of it again. */
  destroy(): void {
    this.ended = true;
    this.user = null;
    this.#opener = null;
    this.#enter('gone');
    this.#stopTimer();
    // A header that nothing followed leaves too: a host may take a connection without one for an attack.
    this.#socket.uncork();
    this.#socket.destroy();
  }

  /** The header leaves in one segment with what the opener writes at once. */
  #openWith(proxyHeader: Buffer | null): void {
    if (proxyHeader === null) return this.#open();
    this.#socket.cork();
    this.#socket.write(proxyHeader);
    this.#open();
    this.#socket.uncork();
  }

  #open(): void {
    this.#stopTimer();
    this.#enter('used');
    const opener = this.#opener;
    this.#opener = null;
    opener?.onOpen(this);
  }

  #onRead(bytes: Buffer, size: number): boolean {
    this.#silent = false;
    if (this.user !== null) this.user.onUpstreamBytes(bytes, size);
    // Bytes that nobody asked for: an answer to nothing. The connection cannot be trusted any more.
    else this.destroy();
    return true;
  }

  #onTimeout(): void {
    const now = performance.now();
    const late = now - this.#due;
    this.#due = Number.POSITIVE_INFINITY;
    if (late < STALL_MS) return this.#lose('timeout');
    // Timers come before sockets: the host gets back, once, what the event loop took from it.
    this.#timer = setTimeout(() => this.#lose('timeout'), late);
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #end(): void {
    if (this.ended) return;
    if (this.user === null) return this.#lose('closed');
    this.ended = true;
    this.user.onUpstreamEnd();
  }

  #lose(cause: string): void {
    if (this.ended) return;
    const stage = this.#stage;
    const { user } = this;
    const opener = this.#opener;
    this.destroy();
    if (opener !== null) {
      const broken = stage === 'securing' ? 'upstream_tls' : 'connect_failed';
      opener.onOpenFailed({ why: cause === 'timeout' ? 'connect_timeout' : broken, cause });
    }
    // TLS 1.3: that a client's certificate is refused comes after the handshake (RFC 8446 §4.4.2.4), so perhaps
    // after the message. Once the host has answered anything, an alert is only another way to close.
    const alert = opener === null && this.#silent && cause.startsWith('ERR_SSL_');
    const why = alert ? 'upstream_tls' : 'closed_early';
    if (why === 'upstream_tls') this.pool.connectFailed({ why, cause });
    user?.onUpstreamLost(why);
  }

  #enter(stage: 'used' | 'idle' | 'gone'): void {
    if (this.#stage === stage) return;
    const { meter } = this.pool;
    if (this.#stage === 'used') meter.inUse--;
    else if (this.#stage === 'idle') meter.idle--;
    if (stage === 'used') meter.inUse++;
    else if (stage === 'idle') meter.idle++;
    this.#stage = stage;
  }
}
