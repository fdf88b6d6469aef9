/**
 * How long a connection to one endpoint may wait for its next message: as configured, or less where the host has closed
 * waiting connections sooner. A message that is on its way when the host closes is lost, and is never sent again.
 */

/** Before the host's own limit, milliseconds; where that is short, half of it. */
const MARGIN_MS = 1000;
/** What a host that closes at once is taken for, milliseconds: its FIN is there before most messages. */
const LEAST_MS = 100;
/** After each connection that the host has kept open well beyond the limit. */
const RECOVERY = 1.25;
/** How far beyond: the margin and the next step of recovery lie below it. */
const PROOF = 2.5;

/** No clock of its own; times are in milliseconds. */
export class IdleLimit {
  readonly #configured: number;
  #learned: number;

  constructor(configured: number) {
    this.#configured = configured;
    this.#learned = configured;
  }

  /** The host has closed sooner than the configuration would. */
  get shortened(): boolean {
    return this.#learned < this.#configured;
  }

  get current(): number {
    return this.#learned;
  }

  /** `announced`: seconds, as the host states them (Keep-Alive: timeout); -1: it does not. Zero or less: do not keep it. */
  after(announced: number): number {
    return announced < 0 ? this.#learned : Math.min(this.#learned, announced * 1000 - MARGIN_MS);
  }

  /** The host closed a connection that had waited so long; true: connections wait for less time now. */
  closedAfter(age: number): boolean {
    const limit = Math.max(LEAST_MS, age - Math.min(MARGIN_MS, age / 2));
    if (limit >= this.#learned) return false;
    this.#learned = limit;
    return true;
  }

  /** How long a connection must have been kept open by the host for the limit to recover by a step. */
  get proof(): number {
    return Math.min(this.#learned * PROOF, this.#configured);
  }

  /** The host has kept a waiting connection open so long; true: that was long enough, and connections wait longer now. */
  keptFor(age: number): boolean {
    if (!this.shortened || age < this.proof) return false;
    this.#learned = Math.min(this.#configured, this.#learned * RECOVERY);
    return true;
  }
}
