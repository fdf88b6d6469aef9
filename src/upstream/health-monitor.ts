/** Monitors one endpoint beside the messages: runs its health checks, and a trial connection while it is ejected. */
import type { EndpointPolicy } from '../policy/snapshot.ts';
import type { Attempt, Connector } from './connect-attempt.ts';
import type { UpstreamConnection } from './connection.ts';
import { HealthCheck } from './health-check.ts';

export interface MonitoredEndpoint extends Connector {
  readonly endpoint: EndpointPolicy;
  readonly ejected: boolean;
  /** Milliseconds until the next trial. */
  nextTrialDelay(): number;
  /** Takes the result of a health check; `cause`: null if it passed. */
  checked(cause: string | null): void;
  /** Takes the connection of a trial that succeeded. */
  keep(connection: UpstreamConnection): void;
}

export class EndpointMonitor {
  readonly #target: MonitoredEndpoint;
  #connectFirst = 0;
  #timer: NodeJS.Timeout | null = null;
  #running: HealthCheck | Attempt | null = null;
  #stopped = false;

  constructor(target: MonitoredEndpoint) {
    this.#target = target;
  }

  /** `connectFirst`: the timeout of a trial, milliseconds. May be called again. */
  start(connectFirst: number): void {
    this.#connectFirst = connectFirst;
    if (this.#timer === null && this.#running === null) this.#schedule();
  }

  /** To be called when the endpoint is ejected. */
  ejected(): void {
    // A running check or trial schedules the next one when it ends.
    if (this.#running === null) this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#running?.cancel();
  }

  #schedule(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const { endpoint, ejected } = this.#target;
    const untilTrial = ejected ? this.#target.nextTrialDelay() : Number.POSITIVE_INFINITY;
    // Varied at random, so that the gateways of one host do not check at the same time.
    const interval = (endpoint.health?.interval ?? Number.POSITIVE_INFINITY) * (0.9 + Math.random() / 5);
    const delay = Math.min(untilTrial, interval);
    if (this.#stopped || delay === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(() => this.#run(), delay).unref();
  }

  #run(): void {
    this.#timer = null;
    const { endpoint, ejected } = this.#target;
    const { health, authority } = endpoint;
    if (health !== null) {
      this.#running = new HealthCheck(this.#target, { health, authority }, (cause) =>
        this.#finish(() => this.#target.checked(cause)),
      );
      return;
    }
    // A message's connection has ended the ejection meanwhile.
    if (!ejected) return;
    // No message waits for the trial; if it succeeds, the next message reuses its connection.
    this.#running = this.#target.connect(
      { timeout: this.#connectFirst, awaitAcceptance: true },
      {
        onOpen: (connection) => this.#finish(() => this.#target.keep(connection)),
        onOpenFailed: () => this.#finish(() => {}),
      },
    );
  }

  #finish(report: () => void): void {
    report();
    this.#running = null;
    this.#schedule();
  }
}
