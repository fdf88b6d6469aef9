/** Reads Prometheus' text format. */
import { eventually } from '../eventually.ts';
import type { Gateway } from './gateway.ts';

/** `name{labels}` → value. */
export type Samples = ReadonlyMap<string, number>;

export async function readMetrics(gateway: Gateway): Promise<Samples> {
  const lines = (await gateway.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const end = line.lastIndexOf(' ');
      return [line.slice(0, end), Number(line.slice(end + 1))];
    }),
  );
}

/** Reads the metrics until they fit: the relay threads report in batches. */
export async function metricsWhen(gateway: Gateway, fits: (samples: Samples) => boolean): Promise<Samples> {
  return await eventually(() => readMetrics(gateway), fits);
}
