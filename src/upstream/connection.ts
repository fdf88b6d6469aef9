/** One connection to the internal host. Reports to its opener until it is open, then to its user. */
import net from 'node:net';
import type { SocketAddress } from './addresses.ts';
import { lossReason, openFailure } from './connect-failure.ts';
import type {
  ConnectionEvents,
  ConnectionPool,
  ConnectionStage,
  Opener,
  UpstreamUser,
} from './connection-roles.ts';
import { announcesIdleClose } from './idle-limit.ts';
import { OpenTimeout } from './open-timeout.ts';
import type { TlsClient } from './tls-client.ts';

export interface ConnectionOptions {
  readonly to: SocketAddress;
  readonly tls: TlsClient | null;
  /** Sent first, before TLS; null: none is sent. */
  readonly proxyHeader: Buffer | null;
  /** Milliseconds until the connection must be open. */
  readonly timeout: number;
  /** Open only once the host can no longer refuse the gateway's certificate. */
  readonly awaitAcceptance: boolean;
  /** Report to `events` whether the host accepted or refused the connection. */
  readonly countOutcome: boolean;
  readonly pool: ConnectionPool<UpstreamConnection>;
  readonly events: ConnectionEvents;
  readonly opener: Opener<UpstreamConnection>;
}

/** Shared by all connections of a relay thread: libuv delivers the bytes of one read before it makes the next. */
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024);

/** Minimum silence after a handshake, ms, after which no refusal is expected; longer if the handshake took longer. */
const QUIET_MS = 25;

/** A close within this time, ms, after a message was sent on an idle connection is not a reaction to the message. */
const RACE_MS = 100;

export class UpstreamConnection {
  /** null: the connection is idle, and no bytes are expected. */
  user: UpstreamUser | null = null;
  /** A FIN, a reset or a failure was reported, or the connection was destroyed: it must not be reused. */
  ended = false;
  /** performance.now() when it became idle, ms. */
  idleSince = 0;
  /** It was idle before its current message: the host may have closed it meanwhile. */
  reused = false;
  /** Seconds for which the host keeps it open, from its last Keep-Alive: timeout; -1: none was received. */
  announced = -1;
  readonly pool: ConnectionPool<UpstreamConnection>;
  /** The IP address of the host; null: a Unix socket. */
  readonly address: string | null;

  readonly #socket: net.Socket;
  readonly #events: ConnectionEvents;
  readonly #countOutcome: boolean;
  /** null once the connection is open. */
  #opener: Opener<UpstreamConnection> | null;
  readonly #timeout: OpenTimeout;
  #stage: ConnectionStage = 'connecting';
  /**
   * The host accepted the gateway's certificate. With TLS 1.3 it may refuse the certificate after the handshake (RFC 8446
   * §4.4.2.4), even after the message; a session ticket or a first byte shows that it did not.
   */
  #accepted = false;
  /** performance.now() when its message began, and whether bytes were received since. */
  #assignedAt = 0;
  #receivedBytes = false;

  constructor(options: ConnectionOptions) {
    const { to, tls, proxyHeader, timeout, opener } = options;
    this.address = to.host ?? null;
    this.pool = options.pool;
    this.#events = options.events;
    this.#countOutcome = options.countOutcome;
    this.#opener = opener;
    this.#timeout = new OpenTimeout(timeout, () => this.#lose('timeout'));
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
      // Node ignores `onread` where TLS runs over an existing socket.
      if (proxyHeader !== null) this.#socket.on('data', (bytes: Buffer) => this.#onRead(bytes, bytes.length));
      this.#socket.on('connect', () => {
        this.#stage = 'securing';
      });
      const began = performance.now();
      secured.on('secureConnect', () => {
        if (secured.getProtocol() !== 'TLSv1.3') return this.#openAccepted();
        if (!options.awaitAcceptance) return this.#open();
        const quiet = Math.max(QUIET_MS, performance.now() - began);
        this.#timeout.replace(quiet, () => this.#openAccepted());
      });
      // The host sends a session ticket after it has verified the client's certificate.
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

  /** No drain is awaited. This is as exact as it gets: over TLS Node reports late that a write has completed. */
  get drained(): boolean {
    return !this.#socket.writableNeedDrain;
  }

  get paused(): boolean {
    return this.#socket.isPaused();
  }

  /** Bytes that TLS has already received are still delivered. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Gives the connection to the user of one message or health check. */
  assign(user: UpstreamUser): void {
    this.user = user;
    this.#receivedBytes = false;
    this.#assignedAt = performance.now();
    this.#enter('used');
  }

  /** Takes the connection from its user, until it is assigned again. */
  becomeIdle(): void {
    this.user = null;
    this.reused = true;
    this.idleSince = performance.now();
    this.#enter('idle');
    // A FIN or a reset must be seen while the connection is idle.
    if (this.paused) this.resume();
  }

  /** Closes the connection; neither its user nor its opener is called again. */
  destroy(): void {
    this.ended = true;
    this.user = null;
    this.#opener = null;
    this.#enter('gone');
    this.#timeout.stop();
    // Flush a PROXY header that nothing followed: a host may treat a connection without one as an attack.
    this.#socket.uncork();
    this.#socket.destroy();
  }

  /** The header leaves in one segment with what the opener writes during `onOpen`. */
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
    if (this.#countOutcome) this.#events.accepted();
  }

  #openAccepted(): void {
    this.#accept();
    this.#open();
  }

  #open(): void {
    const opener = this.#opener;
    if (opener === null) return;
    this.#opener = null;
    this.#timeout.stop();
    this.#enter('used');
    opener.onOpen(this);
  }

  #onRead(bytes: Buffer, size: number): boolean {
    if (this.user === null) {
      // No response is due, so the state of the connection is unknown: close it.
      if (announcesIdleClose(bytes.subarray(0, size))) this.#reportIdleClose();
      this.#lose('unasked');
    } else {
      this.#receivedBytes = true;
      this.#accept();
      this.user.onUpstreamBytes(bytes, size);
    }
    return true;
  }

  #end(): void {
    if (this.ended) return;
    if (this.user === null) return this.#lose('closed');
    this.#reportIdleClose();
    this.ended = true;
    this.user.onUpstreamEnd();
  }

  #lose(cause: string): void {
    if (this.ended) return;
    const stage = this.#stage;
    const { user } = this;
    if (cause !== 'unasked') this.#reportIdleClose();
    const opener = this.#opener;
    this.destroy();
    opener?.onOpenFailed(openFailure({ duringTls: stage === 'securing', cause }));
    const why = opener === null ? lossReason({ accepted: this.#accepted, cause }) : 'closed_early';
    if (why === 'upstream_tls' && this.#countOutcome) this.#events.connectFailed({ why, cause });
    user?.onUpstreamLost(why, cause);
  }

  /** Reports a close by the host while the connection was idle, or just after its next message was sent. */
  #reportIdleClose(): void {
    const now = performance.now();
    if (this.#stage === 'idle') return this.#events.closedWhileIdle(now - this.idleSince);
    const raced =
      this.reused && this.user !== null && !this.#receivedBytes && now - this.#assignedAt < RACE_MS;
    const idleMs = this.#assignedAt - this.idleSince;
    // After a short idle time the close may as well be a failure of a busy host.
    if (raced && idleMs >= RACE_MS) this.#events.closedWhileIdle(idleMs);
  }

  #enter(stage: ConnectionStage): void {
    if (this.#stage === stage) return;
    this.#events.stageChanged(this.#stage, stage);
    this.#stage = stage;
  }
}
