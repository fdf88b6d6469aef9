/** Counts and logs TLS errors on connections whose handshake succeeded and is already recorded. */
import type { Recorder } from '../telemetry/recorder.ts';
import { explainLaterFault, type TlsFault } from './failure-classifier.ts';

/** Milliseconds between two log lines. */
const QUIET_MS = 10_000;

export class PostHandshakeErrors {
  readonly #recorder: Recorder;
  #quietUntil = 0;
  /** Errors since the last log line. */
  #unsaid = 0;

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  /** Ignores system errors such as ECONNRESET: the client closed the connection. */
  report(connId: string, fault: TlsFault): void {
    const failure = explainLaterFault(fault);
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
