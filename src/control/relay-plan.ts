/** Decides at the start how many relay threads there are, and logs it; warns when their connections may need too much memory. */
import type { Config } from '../config/schema/schema.ts';
import type { Logger } from '../telemetry/logger.ts';
import { readMachineResources } from '../thread/machine-resources.ts';
import {
  countRelays,
  type MachineResources,
  type RelayBound,
  type RelayCount,
} from '../thread/relay-count.ts';

const MIB = 1024 * 1024;

const messages: Readonly<Record<RelayBound, string>> = {
  configured: 'relay threads start: as many as relays states',
  cores: 'relay threads start: one for each CPU core that the process may use (relays: auto)',
  memory:
    'relay threads start: fewer than there are CPU cores, because a further one with limits.connections connections may need more memory than the process may use (relays: auto); to use all cores, lower limits.connections or give the gateway more memory',
  platform:
    'one relay thread starts, because threads cannot share a port on this platform (relays: auto); to use more cores, run several gateways on ports of their own',
  maximum: 'relay threads start: the maximum, although there are more CPU cores (relays: auto)',
};

export class RelayPlan {
  readonly #logger: Logger;
  #decided: { readonly relays: number; readonly machine: MachineResources } | null = null;
  /** The last `limits.connections`. */
  #connections = 0;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** The number of relay threads, until the process ends. */
  async decide({ relays: wanted, limits, listen }: Config): Promise<number> {
    const machine = await readMachineResources(listen.address);
    this.#connections = limits.connections;
    const count = countRelays(wanted, { ...machine, connections: limits.connections });
    this.#decided = { relays: count.relays, machine };
    this.#logger.info(fieldsOf(count, machine), messages[count.bound]);
    this.#warn(count, machine);
    return count.relays;
  }

  /** To be called after each reload: `limits.connections` may have changed, the number of threads has not. */
  reloaded({ connections }: Config['limits']): void {
    if (this.#decided === null || connections === this.#connections) return;
    const { relays, machine } = this.#decided;
    this.#connections = connections;
    this.#warn(countRelays(relays, { ...machine, connections }), machine);
  }

  #warn(count: RelayCount, machine: MachineResources): void {
    if (count.memoryNeeded <= machine.memory) return;
    const { relays, memory_mib, memory_needed_mib } = fieldsOf(count, machine);
    this.#logger.warn(
      { relays, memory_mib, memory_needed_mib },
      'with limits.connections connections on each relay thread the gateway may need more memory than it may use: lower limits.connections or relays, or give it more memory; with relays: auto, a restart decides on the threads again',
    );
  }
}

function fieldsOf({ relays, bound, memoryNeeded }: RelayCount, { cores, memory }: MachineResources) {
  const [memory_mib, memory_needed_mib] = [Math.floor(memory / MIB), Math.ceil(memoryNeeded / MIB)];
  return { relays, bound, cores, memory_mib, memory_needed_mib };
}
