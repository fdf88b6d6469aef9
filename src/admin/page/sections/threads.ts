/** The section on relay threads: how the load is spread, and whether a thread falls behind. */
import type { ThreadStatus } from '../../status-schema.ts';
import type { Content } from '../element.ts';
import { formatCount, formatMilliseconds } from '../format.ts';
import { empty, table } from '../pieces.ts';

export function threadsView(threads: readonly ThreadStatus[]): Content {
  if (threads.length === 0)
    return empty('No relay thread runs yet.', 'Each appears here with its connections and its delay.');
  return table<ThreadStatus>({
    caption: 'Relay threads with their load',
    class: 'threads',
    keyOf: ({ thread }) => String(thread),
    rows: threads,
    columns: [
      { heading: 'Thread', cell: ({ thread }) => String(thread) },
      { heading: 'Connections', isNumber: true, cell: ({ connections }) => formatCount(connections) },
      { heading: 'In flight', isNumber: true, cell: ({ inFlight }) => formatCount(inFlight) },
      { heading: 'Loop delay', isNumber: true, cell: ({ loopDelayMs }) => formatMilliseconds(loopDelayMs) },
    ],
  });
}
