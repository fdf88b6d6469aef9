/** What the gateway reports of one endpoint. Only this file writes the endpoint's gauges, counts and log lines. */
import type { EndpointMeter } from '../telemetry/endpoint-meter.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import type { ConnectFailure } from './connect-failure.ts';
import type { ConnectionStage } from './connection-roles.ts';
import { FailureLog } from './failure-log.ts';

export class EndpointRecorder {
  readonly #meter: EndpointMeter;
  readonly #recorder: Recorder;
  readonly #endpoint: string;
  readonly #failures: FailureLog;
  #closed = false;

  /** `endpoint`: its URL in the configuration. */
  constructor(recorder: Recorder, endpoint: string) {
    this.#meter = recorder.meter.endpoint(endpoint);
    this.#recorder = recorder;
    this.#endpoint = endpoint;
    this.#failures = new FailureLog(recorder, endpoint);
  }

  /** The pool counts in the gauges from now on. To be called once. */
  open(): void {
    this.#meter.pools++;
  }

  /** The pool no longer counts in the gauges of pools and ejections. To be called once. */
  close({ ejected }: { readonly ejected: boolean }): void {
    this.#closed = true;
    this.#meter.pools--;
    if (ejected) this.#meter.ejected--;
  }

  stageChanged(from: ConnectionStage, to: ConnectionStage): void {
    if (from === 'used') this.#meter.inUse--;
    else if (from === 'idle') this.#meter.idle--;
    if (to === 'used') this.#meter.inUse++;
    else if (to === 'idle') this.#meter.idle++;
  }

  connected(): void {
    this.#meter.connected();
  }

  connectFailed({ why, cause }: ConnectFailure): void {
    this.#meter.failed({ at: Date.now(), reason: why, cause });
    this.#failures.report(why, cause);
  }

  messageFailed(reason: string, cause: string): void {
    this.#meter.messageFailed({ at: Date.now(), reason, cause });
    this.#failures.report(reason, cause);
  }

  /** `cause`: null if the check passed. */
  checked(cause: string | null): void {
    this.#meter.checked({ at: Date.now(), cause });
    if (cause !== null) this.#failures.report('check_failed', cause);
  }

  /** The name of the host could not be resolved while no message waited for it. */
  resolveFailed(cause: string): void {
    this.#failures.report('resolve_failed', cause);
  }

  ejected(): void {
    this.#meter.ejection();
    if (!this.#closed) this.#meter.ejected++;
    this.#recorder.log(
      'warn',
      'an upstream endpoint is passed over after repeated failures: routes with another endpoint use that one until it works again',
      {
        endpoint: this.#endpoint,
      },
    );
  }

  /** The ejection has ended. */
  returned(): void {
    if (!this.#closed) this.#meter.ejected--;
    this.#recorder.log('info', 'an upstream endpoint is used again', { endpoint: this.#endpoint });
  }

  /** Milliseconds. */
  idleLimit(limit: number): void {
    this.#meter.idleLimit = limit;
  }

  /** Milliseconds. */
  idleLimitLowered({ closedAfter, limit }: { readonly closedAfter: number; readonly limit: number }): void {
    this.#recorder.log(
      'warn',
      'an upstream endpoint closes idle connections; its idle limit was lowered, so that no message is sent on a connection that closes: set pool.idleTimeout below the limit of the host',
      {
        endpoint: this.#endpoint,
        closed_after_ms: Math.round(closedAfter),
        idle_limit_ms: Math.round(limit),
      },
    );
  }

  /** Milliseconds. */
  idleLimitRestored(limit: number): void {
    this.#recorder.log(
      'info',
      'an upstream endpoint keeps idle connections open; its idle limit is pool.idleTimeout again',
      { endpoint: this.#endpoint, idle_limit_ms: Math.round(limit) },
    );
  }
}
