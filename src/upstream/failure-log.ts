/** What the log hears of an endpoint that fails: for each reason one line now and then, not one for every message. */
import type { Recorder } from '../telemetry/recorder.ts';

/** Milliseconds between two lines of one reason. */
const QUIET_MS = 10_000;

export class FailureLog {
  readonly #recorder: Recorder;
  readonly #endpoint: string;
  /** By reason, of which there are few: one that comes often hides no other. */
  readonly #said = new Map<string, { quietUntil: number; unsaid: number }>();

  /** `endpoint`: its url in the configuration. */
  constructor(recorder: Recorder, endpoint: string) {
    this.#recorder = recorder;
    this.#endpoint = endpoint;
  }

  /** `cause`: a code of the system, of OpenSSL or of the gateway's own. */
  say(reason: string, cause: string): void {
    const now = performance.now();
    const last = this.#said.get(reason);
    if (last !== undefined && now < last.quietUntil) {
      last.unsaid++;
      return;
    }
    const fields = { endpoint: this.#endpoint, reason, cause, unsaid: last?.unsaid ?? 0 };
    this.#recorder.log('warn', 'an upstream endpoint fails', fields);
    this.#said.set(reason, { quietUntil: now + QUIET_MS, unsaid: 0 });
  }
}
