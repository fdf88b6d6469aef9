/** `npm run bench`: the gateway beside HAProxy, nginx and http-proxy under the same load. */
import { mkdirSync } from 'node:fs';
import { measureCost } from './measures/cost.ts';
import { measureLatency } from './measures/latency.ts';
import { measureMemory } from './measures/memory.ts';
import { measureRelays } from './measures/relays.ts';
import { measureStart } from './measures/start.ts';
import { type BenchOptions, readOptions } from './options.ts';
import { openRig } from './rig.ts';

async function measure(options: BenchOptions): Promise<void> {
  switch (options.measure) {
    case 'cost':
      return measureCost(await openRig(options));
    case 'latency':
      return measureLatency(await openRig(options));
    case 'memory':
      return measureMemory(await openRig(options));
    case 'start':
      return measureStart(options);
    case 'relays':
      return measureRelays(options);
    default:
      return options.measure satisfies never;
  }
}

const options = readOptions();
if (options.profile !== null) mkdirSync(options.profile, { recursive: true });
await measure(options);
process.exit();
