/** Counts and logs connections whose TLS fails after the handshake: their handshake record was written before. */
import type { Recorder } from '../telemetry/recorder.ts';
import { explainBreak, type TlsFault } from './failure-classifier.ts';

/** Milliseconds between two lines of the log. */
const QUIET_MS = 10_000;

export class BrokenConnections {
  readonly #recorder: Recorder;
  #quietUntil = 0;
  #unsaid = 0;

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  /** An error of the system, such as a reset, is a client that left, and is not reported. */
  report(connId: string, fault: TlsFault): void {
    const failure = explainBreak(fault);
    if (failure === null) return;
    const { reason, detail } = failure;
    this.#recorder.meter.count('ehi_tls_errors_total', [reason]);
    const now = performance.now();
    if (now < this.#quietUntil) {
      this.#unsaid++;
      return;
    }
    const fields = { conn_id: connId, reason, openssl_code: fault.code, detail, unsaid: this.#unsaid };
    this.#recorder.log('warn', 'TLS failed after the handshake, the connection was closed', fields);
    this.#quietUntil = now + QUIET_MS;
    this.#unsaid = 0;
  }
}
