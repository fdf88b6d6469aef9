/** Logs errors of accept(2), at most once in ten seconds, since they come in bursts. */
import type { Recorder } from '../telemetry/recorder.ts';

/** Milliseconds between two log lines. */
const QUIET_MS = 10_000;

/**
 * The listener goes on accepting after an error. Node 24 and 26 do not report EMFILE, the most likely error: libuv closes
 * a spare descriptor, uses it to accept and close each waiting connection, and opens the spare again. When another thread
 * takes the spare descriptor first, connections wait in the backlog until a descriptor is free.
 */
export class AcceptErrors {
  readonly #recorder: Recorder;
  /** Since the last log line. */
  #failures = 0;
  #quietUntil = 0;

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  report(error: NodeJS.ErrnoException): void {
    this.#failures++;
    const now = performance.now();
    if (now < this.#quietUntil) return;
    const fields = { code: error.code ?? null, failures: this.#failures };
    this.#recorder.log('error', 'connections cannot be accepted', fields);
    this.#failures = 0;
    this.#quietUntil = now + QUIET_MS;
  }
}
