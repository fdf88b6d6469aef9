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
  /** The connection is gone without FIN, or by an alert of TLS. `cause`: the system's or OpenSSL's code. */
  onUpstreamLost(why: UpstreamLoss, cause: string): void;
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
  /** Open only when no refusal of the gateway's certificate is to be expected any more. */
  readonly sure: boolean;
  /** Whether it was accepted or refused counts for the pool, whose it is. */
  readonly counts: boolean;
  readonly pool: Pool;
  readonly opener: Opener;
}

/** Every read of a relay thread lands here: libuv hands the bytes over before it reads the next socket. */
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024);

/** A timer this much (ms) too late: the event loop stood still, and what the host sent meanwhile is still unread. */
const STALL_MS = 5;

/** Silence after a handshake, ms, in which a refusal may still come; or as long as that took, if it is more. */
const QUIET_MS = 25;

/** Within this, ms, after a message was sent on a connection that had waited: the host's FIN was under way before it. */
const RACE_MS = 100;

export class UpstreamConnection {
  /** null: nobody expects anything on it. */
  user: UpstreamUser | null = null;
  /** FIN, reset or failure was delivered: never to be picked again. */
  ended = false;
  /** performance.now() when it began to wait, ms. */
  idleSince = 0;
  /** It has waited for the message that it carries: the host may have closed it meanwhile. */
  reused = false;
  /** Seconds for which the host keeps it open (Keep-Alive: timeout), once it has said so; -1: it has not. */
  announced = -1;
  readonly pool: Pool;
  /** The address that it leads to; null: a Unix socket. */
  readonly address: string | null;

  readonly #socket: net.Socket;
  readonly #counts: boolean;
  /** Until it can be written to. */
  #opener: Opener | null;
  #timer: NodeJS.Timeout | null;
  #due: number;
  #stage: 'connecting' | 'securing' | 'used' | 'idle' | 'gone' = 'connecting';
  /**
   * The host has let the gateway in. From TLS 1.3 on it may refuse a client's certificate after the handshake (RFC 8446
   * §4.4.2.4), perhaps after the message: its ticket or its first byte says that it did not.
   */
  #accepted = false;
  /** When its message began, and whether anything was heard since. */
  #claimedAt = 0;
  #heard = false;

  constructor({ to, tls, proxyHeader, timeout, sure, counts, pool, opener }: ConnectionOptions) {
    this.address = to.host ?? null;
    this.pool = pool;
    this.#counts = counts;
    this.#opener = opener;
    this.#due = performance.now() + timeout;
    this.#timer = setTimeout(() => this.#onTimeout(), timeout);
    const onread = { buffer: readBuffer, callback: (size: number) => this.#onRead(readBuffer, size) };
    if (tls === null) {
      this.#socket = net.connect({ ...to, noDelay: true, onread });
      this.#socket.on('connect', () => {
        this.#accept();
        this.#openWith(proxyHeader);
      });
    } else {
      const secured = tls.connect(to, { onread, proxyHeader });
      this.#socket = secured;
      // Over a socket that was there before, Node takes no buffer to read into.
      if (proxyHeader !== null) this.#socket.on('data', (bytes: Buffer) => this.#onRead(bytes, bytes.length));
      this.#socket.on('connect', () => {
        this.#stage = 'securing';
      });
      const began = performance.now();
      secured.on('secureConnect', () => {
        if (secured.getProtocol() !== 'TLSv1.3') return this.#openAccepted();
        if (!sure) return this.#open();
        this.#stopTimer();
        const quiet = Math.max(QUIET_MS, performance.now() - began);
        this.#timer = setTimeout(() => this.#openAccepted(), quiet);
      });
      // A ticket follows the verification of the client's certificate.
      secured.on('session', () => this.#openAccepted());
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

  /** No drain is waited for. (Nearer to the last byte TLS cannot say it: it tells late that a write has left.) */
  get drained(): boolean {
    return !this.#socket.writableNeedDrain;
  }

  get paused(): boolean {
    return this.#socket.isPaused();
  }

  /** What TLS has received by then comes all the same. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** From waiting to carrying a message. */
  claim(user: UpstreamUser): void {
    this.user = user;
    this.#heard = false;
    this.#claimedAt = performance.now();
    this.#enter('used');
  }

  /** From carrying a message to waiting. */
  park(): void {
    this.user = null;
    this.reused = true;
    this.idleSince = performance.now();
    this.#enter('idle');
    // Who waits must hear whatever comes.
    if (this.paused) this.resume();
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

  #accept(): void {
    if (this.#accepted) return;
    this.#accepted = true;
    if (this.#counts) this.pool.accepted();
  }

  #openAccepted(): void {
    this.#accept();
    this.#open();
  }

  #open(): void {
    const opener = this.#opener;
    if (opener === null) return;
    this.#opener = null;
    this.#stopTimer();
    this.#enter('used');
    opener.onOpen(this);
  }

  #onRead(bytes: Buffer, size: number): boolean {
    // Bytes that nobody asked for: an answer to nothing. The connection cannot be trusted any more.
    if (this.user === null) {
      // RFC 9110 §15.5.9: how some hosts say that they close a connection on which nothing came.
      if (/^HTTP\/1\.[01] 408/.test(bytes.toString('latin1', 0, Math.min(size, 12)))) this.#closedWaiting();
      this.#lose('unasked');
    } else {
      this.#heard = true;
      this.#accept();
      this.user.onUpstreamBytes(bytes, size);
    }
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
    this.#closedWaiting();
    this.ended = true;
    this.user.onUpstreamEnd();
  }

  #lose(cause: string): void {
    if (this.ended) return;
    const stage = this.#stage;
    const { user } = this;
    if (cause !== 'unasked') this.#closedWaiting();
    const opener = this.#opener;
    this.destroy();
    if (opener !== null) {
      const broken = stage === 'securing' ? 'upstream_tls' : 'connect_failed';
      opener.onOpenFailed({ why: cause === 'timeout' ? 'connect_timeout' : broken, cause });
    }
    // Once the host has accepted the gateway, an alert is only another way to close.
    const refused = opener === null && !this.#accepted && cause.startsWith('ERR_SSL_');
    const why = refused ? 'upstream_tls' : 'closed_early';
    if (why === 'upstream_tls' && this.#counts) this.pool.connectFailed({ why, cause });
    user?.onUpstreamLost(why, cause);
  }

  /** The host closed it while it waited, or so soon after its next message that it cannot have been for that. */
  #closedWaiting(): void {
    const now = performance.now();
    if (this.#stage === 'idle') return this.pool.closedWaiting(now - this.idleSince);
    const raced = this.reused && this.user !== null && !this.#heard && now - this.#claimedAt < RACE_MS;
    const age = this.#claimedAt - this.idleSince;
    // Of a host that is busy and fails, a short wait proves nothing.
    if (raced && age >= RACE_MS) this.pool.closedWaiting(age);
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
