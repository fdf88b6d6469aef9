/** A limit for several connections together. */
import type { Endpoint } from './endpoint.ts';
import type { FlightOutcome } from './outcome.ts';

/** `ask`, which answers with a time-out as soon as `totalMs` milliseconds have passed from now. */
export function askWithin<Options extends Endpoint>(
  totalMs: number,
  ask: (options: Options) => Promise<FlightOutcome>,
): (options: Options) => Promise<FlightOutcome> {
  const end = performance.now() + totalMs;
  const isOver: FlightOutcome = {
    kind: 'timeout',
    phase: 'total',
    connectMs: null,
    ms: 0,
    received: null,
  };
  return async (options) => {
    const left = end - performance.now();
    if (left <= 0) return isOver;
    const isShorter = left < options.timeoutMs;
    const outcome = await ask(isShorter ? { ...options, timeoutMs: left } : options);
    return isShorter && outcome.kind === 'timeout' ? isOver : outcome;
  };
}
