/** Logs errors of accept(2), which come in bursts: the log collapses them. */
import type { Recorder } from '../telemetry/recorder.ts';

/**
 * The listener goes on accepting after an error. Node 24 and 26 do not report EMFILE, the most likely error: libuv closes
 * a spare descriptor, uses it to accept and close each waiting connection, and opens the spare again. When another thread
 * takes the spare descriptor first, connections wait in the backlog until a descriptor is free.
 */
export class AcceptErrors {
  readonly #recorder: Recorder;

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  report(error: NodeJS.ErrnoException): void {
    const message =
      'connections cannot be accepted; EMFILE and ENFILE: no descriptor is free, so raise the limit of open files or lower limits.connections';
    this.#recorder.logFailure('error', message, { code: error.code ?? null });
  }
}
