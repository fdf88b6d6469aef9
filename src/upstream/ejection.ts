/** Whether an endpoint is ejected: after failures in a row, until one trial succeeds. */

/** Failures in a row, of connecting or of checks. */
const failuresToEject = 3;
/** Milliseconds before the first trial; doubles before each further one, up to the maximum. */
const firstDelay = 1000;
const maxDelay = 30_000;

/** Uses neither a clock nor random numbers of its own. */
export class Ejection {
  #ejected = false;
  /** Ejected by health checks: an accepted connection does not end that. */
  #byChecks = false;
  #connectFailures = 0;
  #checkFailures = 0;
  #trials = 0;

  get ejected(): boolean {
    return this.#ejected;
  }

  /** True: this failure ejects the endpoint. */
  connectFailed(): boolean {
    return ++this.#connectFailures >= failuresToEject && this.#eject();
  }

  /** True: this failure ejects the endpoint. */
  checkFailed(): boolean {
    const ejects = ++this.#checkFailures >= failuresToEject && this.#eject();
    if (this.#checkFailures >= failuresToEject) this.#byChecks = true;
    return ejects;
  }

  /** True: this ends the ejection. */
  accepted(): boolean {
    this.#connectFailures = 0;
    return !this.#byChecks && this.#return();
  }

  /** True: this ends the ejection. */
  checkPassed(): boolean {
    this.#connectFailures = 0;
    this.#checkFailures = 0;
    this.#byChecks = false;
    return this.#return();
  }

  /** Forgets every failure. True: this ends an ejection. */
  reset(): boolean {
    this.#trials = 0;
    return this.checkPassed();
  }

  /** A message was answered: the next ejection begins with the first delay again. */
  answered(): void {
    this.#trials = 0;
  }

  /** Milliseconds until the next trial; `random` (0 to 1) varies it by up to a quarter, to spread the trials of many gateways. */
  nextTrialDelay(random: number): number {
    const delay = Math.min(firstDelay * 2 ** this.#trials, maxDelay);
    if (delay < maxDelay) this.#trials++;
    return delay * (0.75 + random / 2);
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
