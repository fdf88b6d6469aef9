/** Logs the failures of one endpoint; the log collapses those with the same reason and cause. */
import type { Recorder } from '../telemetry/recorder.ts';

export class FailureLog {
  readonly #recorder: Recorder;
  readonly #endpoint: string;

  /** `endpoint`: its URL in the configuration. */
  constructor(recorder: Recorder, endpoint: string) {
    this.#recorder = recorder;
    this.#endpoint = endpoint;
  }

  /** `cause`: a code of the system, of OpenSSL or of the gateway. */
  report(reason: string, cause: string): void {
    const message =
      'an upstream endpoint fails; its messages go to another endpoint of the route or are answered with 502 or 504: check the host and the network to it';
    this.#recorder.logFailure('warn', message, { endpoint: this.#endpoint, reason, cause });
  }
}
