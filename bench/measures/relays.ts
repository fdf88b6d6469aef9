/** Messages a second of two relay threads beside one, on two cores of their own; the load needs two cores too. */
import type { ChildProcess } from 'node:child_process';
import { availableParallelism, loadavg } from 'node:os';
import { cpuSpent, readCpu } from '../cpu.ts';
import { describeMachine, median, printFacts, quartiles } from '../figures.ts';
import { type ModeName, modes } from '../modes.ts';
import type { BenchOptions } from '../options.ts';
import { startGateway } from '../peers/gateway.ts';
import type { Peer } from '../peers/peer.ts';
import { inTurn, openLoad, openRig } from '../rig.ts';
import { command } from '../slice.ts';

const neededCores = 4;
const warmUps = 2;
const gatewayCores = [0, 1];
/** If a relay thread uses less than this share of its core, the load was the bottleneck, and the figure says nothing. */
const saturated = 0.9;

export async function measureRelays(options: BenchOptions): Promise<void> {
  const refusal = whyNot(availableParallelism(), loadavg()[0] ?? 0);
  if (refusal !== null) return console.log(`two relays beside one: not measured: ${refusal}`);
  const loadCores = Array.from({ length: availableParallelism() - 2 }, (_, index) => index + 2);
  const rig = await openRig(options, loadCores);
  const { certificates } = rig.needs;
  const loads = [rig.load];
  while (loads.length < loadCores.length)
    loads.push(await openLoad({ certificates, options, core: loadCores }));
  const gateways: { peer: Peer; relays: number }[] = [];
  for (const relays of [1, 2]) {
    const peer = await startGateway(rig.needs, { name: 'gateway', relays, core: gatewayCores });
    gateways.push({ peer, relays });
  }
  printFacts(describeMachine(gateways.slice(0, 1).map(({ peer }) => peer)));
  for (const mode of options.modes) {
    const ratios: number[] = [];
    for (let round = -warmUps; round < options.rounds; round += 1) {
      const rates: number[] = [];
      for (const { peer, relays } of inTurn(gateways, round)) {
        rates[relays] = await measureRate({ loads, peer, relays, mode, milliseconds: options.milliseconds });
      }
      if (round >= 0) ratios.push((rates[2] ?? Number.NaN) / (rates[1] ?? Number.NaN));
    }
    console.log(`${mode}: two relays ${median(ratios).toFixed(2)} × one (quartiles ${quartiles(ratios, 2)})`);
  }
}

/** Why nothing can be measured on this machine; null: it can. */
export function whyNot(cores: number, busy: number): string | null {
  if (cores < neededCores) return `${cores} cores, ${neededCores} are needed`;
  if (cores - busy < neededCores - 0.5)
    return `${cores} cores, load ${busy.toFixed(1)}, ${neededCores} free ones are needed`;
  return null;
}

/** Messages a second over all loads; throws if the relay threads were not busy. */
async function measureRate(options: {
  loads: readonly ChildProcess[];
  peer: Peer;
  relays: number;
  mode: ModeName;
  milliseconds: number;
}): Promise<number> {
  const { loads, peer, relays, mode, milliseconds } = options;
  const { pid } = peer.process;
  if (pid === undefined) throw new Error('the gateway is not running');
  const each = <T>(order: (load: ChildProcess) => Promise<T>) => Promise.all(loads.map(order));
  await each((load) => command(load, { type: 'prepare', port: peer.port, mode: modes[mode] }));
  const before = readCpu(pid);
  const results = await each((load) => command(load, { type: 'run', milliseconds }));
  const used = cpuSpent(before, readCpu(pid)) / (milliseconds * 1e6 * relays);
  await each((load) => command(load, { type: 'rest' }));
  if (used < saturated) {
    throw new Error(
      `${relays} relays used ${(used * 100).toFixed(0)} % of their cores: the load is too slow`,
    );
  }
  const rates = results.map(({ messages, milliseconds: time }) => (messages * 1_000) / time);
  return rates.reduce((sum, rate) => sum + rate, 0);
}
