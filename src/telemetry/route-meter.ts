/** The counts of one route in a relay thread, kept without allocation per observation. */
import { budgetBounds, Counts, type HistogramDelta, increment, secondsBounds } from './bucket-counts.ts';
import { VerdictCounts, type VerdictDelta } from './verdict-counts.ts';

/** The route label of requests that matched no route. */
export const noRoute = 'none';

const shedReasons = [
  'audit_unavailable',
  'overloaded',
  'client_in_flight',
  'route_in_flight',
  'held_bodies',
] as const;

/** Why a message was shed. */
export type ShedReason = (typeof shedReasons)[number];

/** Whether a refusal sheds load. */
export function isShedReason(reason: string): reason is ShedReason {
  return (shedReasons as readonly string[]).includes(reason);
}

export interface RouteDelta {
  readonly route: string;
  /** Current value, not a difference. */
  readonly inFlight: number;
  readonly codes: readonly (readonly [code: number, count: number])[];
  readonly total: HistogramDelta;
  readonly upstream: HistogramDelta;
  readonly overhead: HistogramDelta;
  readonly budget: HistogramDelta;
  readonly late: number;
  readonly untyped: number;
  readonly shed: Readonly<Record<ShedReason, number>>;
  /** Verdicts on tokens, and on signatures of bodies. */
  readonly bearer: VerdictDelta;
  readonly signature: VerdictDelta;
}

export class RouteMeter {
  /** Responses of the host with a body and no Content-Type; the owner adds. */
  untyped = 0;
  /** Messages from the complete request head to the end of the response; the owner adds and subtracts. */
  inFlight = 0;

  readonly #route: string;
  readonly #codes = new Map<number, number>();
  readonly #total = new Counts(secondsBounds);
  readonly #upstream = new Counts(secondsBounds);
  readonly #overhead = new Counts(secondsBounds);
  readonly #budget = new Counts(budgetBounds);
  readonly #bearer = new VerdictCounts();
  readonly #signature = new VerdictCounts();
  #late = 0;
  #shed = noneShed();
  #takenInFlight = 0;

  constructor(route: string) {
    this.#route = route;
  }

  /**
   * `upstreamMs` is NaN if no upstream attempt was made: then the upstream and overhead histograms get no observation.
   */
  message(code: number, totalMs: number, upstreamMs: number): void {
    increment(this.#codes, code);
    this.#total.observe(totalMs / 1000);
    this.#upstream.observe(upstreamMs / 1000);
    this.#overhead.observe(Math.max(0, totalMs - upstreamMs) / 1000);
  }

  /** Compares the same message with its route's budget, both in milliseconds; without a complete response it is late. */
  budget(totalMs: number, budgetMs: number, answered: boolean): void {
    this.#budget.observe(totalMs / budgetMs);
    if (!answered || totalMs > budgetMs) this.#late++;
  }

  /** The same message was shed. */
  shed(reason: ShedReason): void {
    this.#shed[reason]++;
  }

  /** The token of a message was judged. `verdict`: `allow` or a reason. */
  bearer(verdict: string, mode: 'enforce' | 'shadow'): void {
    this.#bearer.add(verdict, mode);
  }

  /** The signature of a message’s body was judged. `verdict`: `allow` or a reason. */
  signature(verdict: string, mode: 'enforce' | 'shadow'): void {
    this.#signature.add(verdict, mode);
  }

  /** null: nothing changed since the last call. */
  take(): RouteDelta | null {
    const { inFlight } = this;
    const isIdle = this.#codes.size === 0 && this.#bearer.isEmpty && this.#signature.isEmpty;
    if (isIdle && inFlight === this.#takenInFlight) return null;
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
      bearer: this.#bearer.take(),
      signature: this.#signature.take(),
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
  return { audit_unavailable: 0, overloaded: 0, client_in_flight: 0, route_in_flight: 0, held_bodies: 0 };
}
