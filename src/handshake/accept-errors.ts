/** Logs that connections cannot be accepted: once in ten seconds, since such failures come in bursts. */
import type { Recorder } from '../telemetry/recorder.ts';

/** Milliseconds between two lines of the log. */
const QUIET_MS = 10_000;

/**
 * Accepting goes on after an error, so one is logged and no more is done about it. Of the likeliest, EMFILE, Node 24 and
 * 26 do not even tell: libuv gives up a spare descriptor, with it accepts and closes whoever waits, and takes it back.
 * Where another thread is quicker to take it, callers wait in the backlog until descriptors come back.
 */
export class AcceptFailures {
  readonly #recorder: Recorder;
  /** Since the last line. */
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
