/** Counts and logs TLS errors on connections whose handshake succeeded and is already recorded. */
import type { Recorder } from '../telemetry/recorder.ts';
import { explainLaterFault, type TlsFault } from './failure-classifier.ts';

export class PostHandshakeErrors {
  readonly #recorder: Recorder;

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  /** Ignores system errors such as ECONNRESET: the client closed the connection. */
  report(connId: string, fault: TlsFault): void {
    const failure = explainLaterFault(fault);
    if (failure === null) return;
    const { reason, detail } = failure;
    this.#recorder.meter.count('ehi_tls_errors_total', [reason]);
    const fields = { conn_id: connId, reason, openssl_code: fault.code, detail };
    this.#recorder.logFailure(
      'warn',
      'TLS failed after the handshake, the connection was closed; a message in flight ends as client_gone',
      fields,
    );
  }
}
