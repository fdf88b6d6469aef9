/** Counts the messages of one route in a relay thread, without allocation per observation. */
import { budgetBounds, Counts, type HistogramDelta, increment, secondsBounds } from './counts.ts';

/** Stands for the route of requests that reached none. */
export const noRoute = 'none';

/** Why a message is refused for the load there is. */
export type ShedReason = 'audit_unavailable' | 'overloaded' | 'client_in_flight' | 'route_in_flight';

export interface RouteDelta {
  readonly route: string;
  /** The gauge as it stands, not a difference. */
  readonly inFlight: number;
  readonly codes: readonly (readonly [code: number, count: number])[];
  readonly total: HistogramDelta;
  readonly upstream: HistogramDelta;
  readonly overhead: HistogramDelta;
  readonly budget: HistogramDelta;
  readonly late: number;
  readonly untyped: number;
  readonly shed: Readonly<Record<ShedReason, number>>;
}

export class RouteMeter {
  /** Answers of the host that had a body and no Content-Type; the owner adds. */
  untyped = 0;
  /** Messages between their complete head and the end of their answer; the owner adds and subtracts. */
  inFlight = 0;

  readonly #route: string;
  readonly #codes = new Map<number, number>();
  readonly #total = new Counts(secondsBounds);
  readonly #upstream = new Counts(secondsBounds);
  readonly #overhead = new Counts(secondsBounds);
  readonly #budget = new Counts(budgetBounds);
  #late = 0;
  #shed = noneShed();
  #takenInFlight = 0;

  constructor(route: string) {
    this.#route = route;
  }

  /**
   * `upstreamMs` is NaN where no upstream was asked: such a message says nothing of the upstream or of the gateway's
   * overhead.
   */
  message(code: number, totalMs: number, upstreamMs: number): void {
    increment(this.#codes, code);
    this.#total.observe(totalMs / 1000);
    this.#upstream.observe(upstreamMs / 1000);
    this.#overhead.observe(Math.max(0, totalMs - upstreamMs) / 1000);
  }

  /** How the same message did by its route's budget, milliseconds; whoever was not answered was not in time either. */
  budget(totalMs: number, budgetMs: number, answered: boolean): void {
    this.#budget.observe(totalMs / budgetMs);
    if (!answered || totalMs > budgetMs) this.#late++;
  }

  /** The same message was refused for the load. */
  shed(reason: ShedReason): void {
    this.#shed[reason]++;
  }

  /** Null when nothing changed since the last call. */
  take(): RouteDelta | null {
    const { inFlight } = this;
    if (this.#codes.size === 0 && inFlight === this.#takenInFlight) return null;
    const delta = {
      route: this.#route,
      inFlight,
      codes: [...this.#codes],
      total: this.#total.take(),
      upstream: this.#upstream.take(),
      overhead: this.#overhead.take(),
      budget: this.#budget.take(),
      late: this.#late,
      untyped: this.untyped,
      shed: this.#shed,
    };
    this.#codes.clear();
    this.#late = 0;
    this.untyped = 0;
    this.#shed = noneShed();
    this.#takenInFlight = inFlight;
    return delta;
  }
}

function noneShed(): Record<ShedReason, number> {
  return { audit_unavailable: 0, overloaded: 0, client_in_flight: 0, route_in_flight: 0 };
}
