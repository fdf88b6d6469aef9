/** What the log hears of an endpoint that fails: one line now and then, not one for every message. */
import type { Recorder } from '../telemetry/recorder.ts';

/** Milliseconds between two lines. */
const QUIET_MS = 10_000;

export class Complaint {
  readonly #recorder: Recorder;
  readonly #endpoint: string;
  #quietUntil = 0;
  #unsaid = 0;

  /** `endpoint`: its url in the configuration. */
  constructor(recorder: Recorder, endpoint: string) {
    this.#recorder = recorder;
    this.#endpoint = endpoint;
  }

  /** `cause`: a code of the system, of OpenSSL or of the gateway's own. */
  say(reason: string, cause: string): void {
    const now = performance.now();
    if (now < this.#quietUntil) {
      this.#unsaid++;
      return;
    }
    const fields = { endpoint: this.#endpoint, reason, cause, unsaid: this.#unsaid };
    this.#recorder.log('warn', 'an upstream endpoint fails', fields);
    this.#quietUntil = now + QUIET_MS;
    this.#unsaid = 0;
  }
}
