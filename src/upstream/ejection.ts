/** Whether an endpoint is passed over: out after failures in a row, back after one trial that goes well. */

/** In a row: of connecting, or of checks. */
const failuresToEject = 3;
/** Milliseconds before the first trial; twice as much before each one after it, up to the longest. */
const firstPause = 1000;
const longestPause = 30_000;

/** No clock and no dice of its own. */
export class Ejection {
  #ejected = false;
  /** Checks said so: being connectable is not enough to come back. */
  #byChecks = false;
  #connectFailures = 0;
  #checkFailures = 0;
  #trials = 0;

  get ejected(): boolean {
    return this.#ejected;
  }

  /** True: that was one too many, and the endpoint is out. */
  connectFailed(): boolean {
    return ++this.#connectFailures >= failuresToEject && this.#eject();
  }

  checkFailed(): boolean {
    const out = ++this.#checkFailures >= failuresToEject && this.#eject();
    if (this.#checkFailures >= failuresToEject) this.#byChecks = true;
    return out;
  }

  /** True: that brings the endpoint back. */
  accepted(): boolean {
    this.#connectFailures = 0;
    return !this.#byChecks && this.#return();
  }

  checkPassed(): boolean {
    this.#connectFailures = 0;
    this.#checkFailures = 0;
    this.#byChecks = false;
    return this.#return();
  }

  /** True: it was out, and is in again, as if it had never failed. */
  reset(): boolean {
    this.#trials = 0;
    return this.checkPassed();
  }

  /** A message was answered: the next ejection begins with a short pause again. */
  answered(): void {
    this.#trials = 0;
  }

  /** Milliseconds until the next trial; `random` (0 to 1) spreads those of many gateways by a quarter either way. */
  pause(random: number): number {
    const pause = Math.min(firstPause * 2 ** this.#trials, longestPause);
    if (pause < longestPause) this.#trials++;
    return pause * (0.75 + random / 2);
  }

  #eject(): boolean {
    if (this.#ejected) return false;
    this.#ejected = true;
    return true;
  }

  #return(): boolean {
    if (!this.#ejected) return false;
    this.#ejected = false;
    return true;
  }
}
