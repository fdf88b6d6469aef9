/** Logs the failures of one endpoint: at most one line in ten seconds for each reason. */
import type { Recorder } from '../telemetry/recorder.ts';

/** Minimum time between two lines for one reason, milliseconds. */
const INTERVAL_MS = 10_000;

export class FailureLog {
  readonly #recorder: Recorder;
  readonly #endpoint: string;
  /** By reason, of which there are few: a frequent reason does not suppress another one. */
  readonly #reasons = new Map<string, { silentUntil: number; suppressed: number }>();

  /** `endpoint`: its URL in the configuration. */
  constructor(recorder: Recorder, endpoint: string) {
    this.#recorder = recorder;
    this.#endpoint = endpoint;
  }

  /** `cause`: a code of the system, of OpenSSL or of the gateway. */
  report(reason: string, cause: string): void {
    const now = performance.now();
    const last = this.#reasons.get(reason);
    if (last !== undefined && now < last.silentUntil) {
      last.suppressed++;
      return;
    }
    const fields = { endpoint: this.#endpoint, reason, cause, unsaid: last?.suppressed ?? 0 };
    this.#recorder.log('warn', 'an upstream endpoint fails', fields);
    this.#reasons.set(reason, { silentUntil: now + INTERVAL_MS, suppressed: 0 });
  }
}
