/**
 * How long a connection to one endpoint may be idle before it is no longer reused: the configured time, or less if the
 * host closes idle connections sooner. A message that is sent while the host closes is lost, and is never sent again.
 */

/** Connections are given up this long before the host's own limit, milliseconds; at half of it where it is short. */
const MARGIN_MS = 1000;
/** Minimum limit, milliseconds: the FIN of a host that closes at once arrives before most messages are sent. */
const MIN_MS = 100;
/** Growth of the limit after each connection that the host has kept open well beyond it. */
const RECOVERY = 1.25;
/** How far beyond: covers the margin and the next growth. */
const PROOF = 2.5;

/** Whether bytes on an idle connection are a 408: some hosts announce with it that they close the connection (RFC 9110 §15.5.9). */
export function announcesIdleClose(bytes: Buffer): boolean {
  return /^HTTP\/1\.[01] 408/.test(bytes.toString('latin1', 0, Math.min(bytes.length, 12)));
}

/** Uses no clock of its own; times are in milliseconds. */
export class IdleLimit {
  readonly #configured: number;
  #current: number;

  constructor(configured: number) {
    this.#configured = configured;
    this.#current = configured;
  }

  /** The limit is below the configured one. */
  get shortened(): boolean {
    return this.#current < this.#configured;
  }

  get current(): number {
    return this.#current;
  }

  /**
   * The limit for a connection for which the host announced `announced` seconds (Keep-Alive: timeout); -1: nothing.
   * Zero or less: do not keep the connection.
   */
  limitFor(announced: number): number {
    return announced < 0 ? this.#current : Math.min(this.#current, announced * 1000 - MARGIN_MS);
  }

  /** The host closed a connection after `idleMs`; true: this lowered the limit. */
  closedAfter(idleMs: number): boolean {
    const limit = Math.max(MIN_MS, idleMs - Math.min(MARGIN_MS, idleMs / 2));
    if (limit >= this.#current) return false;
    this.#current = limit;
    return true;
  }

  /** How long the host must keep an idle connection open for the limit to rise by a step. */
  get proof(): number {
    return Math.min(this.#current * PROOF, this.#configured);
  }

  /** The host kept an idle connection open for `idleMs`; true: this raised the limit. */
  keptFor(idleMs: number): boolean {
    if (!this.shortened || idleMs < this.proof) return false;
    this.#current = Math.min(this.#configured, this.#current * RECOVERY);
    return true;
  }
}
