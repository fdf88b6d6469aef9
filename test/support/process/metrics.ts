/** Reads Prometheus' text format. */
import { scheduler } from 'node:timers/promises';
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

/** Asks until the samples fit: the relay threads report in batches. */
export async function metricsWhen(gateway: Gateway, fits: (samples: Samples) => boolean): Promise<Samples> {
  for (;;) {
    const samples = await readMetrics(gateway);
    if (fits(samples)) return samples;
    await scheduler.wait(20);
  }
}
