/** Resident memory of an idle mutual TLS connection: what many of them add to a warm process. */
import { setTimeout as delay } from 'node:timers/promises';
import { processTree } from '../cpu.ts';
import { align, describeMachine, median, printFacts } from '../figures.ts';
import { type Mode, modes } from '../modes.ts';
import type { Peer, PeerName } from '../peers/peer.ts';
import { stop } from '../processes.ts';
import { openPeer, type Rig } from '../rig.ts';
import { command } from '../slice.ts';
import { residentMemory } from '../soak/memory.ts';

const idle: Mode = { ...modes.keepalive, connections: 2_000 };
/** What each idle connection carried before. */
const kinds = ['nothing', 'one message'] as const;
type Kind = (typeof kinds)[number];

/** Milliseconds of each pattern before the first reading, so that code is compiled and heaps have their size. */
const warmUp = 3_000;
/** Milliseconds until a reading, so that batches have been written. */
const settling = 2_000;

export async function measureMemory(rig: Rig): Promise<void> {
  const { options } = rig;
  const found: { name: PeerName; version: string; kibibytes: Record<Kind, number[]> }[] = [];
  for (const name of options.peers) {
    const kibibytes: Record<Kind, number[]> = { nothing: [], 'one message': [] };
    let version = '';
    for (let round = 0; round < options.rounds; round += 1) {
      for (const kind of kinds) {
        // A new process for each reading, because resident memory is rarely returned.
        const peer = await openPeer(rig, name);
        version = peer.version;
        kibibytes[kind].push(await measureIdle(rig, peer, kind));
        await stop(peer.process);
      }
    }
    found.push({ name, version, kibibytes });
  }
  printFacts(describeMachine(found));
  const rows = found.map(({ name, kibibytes }) => [
    name,
    ...kinds.map(
      (kind) =>
        `${median(kibibytes[kind]).toFixed(1)} (${kibibytes[kind].map((each) => each.toFixed(1)).join(' ')})`,
    ),
  ]);
  console.log(
    `\nmemory: KiB resident for each of ${idle.connections} idle connections; median (each of the rounds)`,
  );
  console.log(align([['', ...kinds.map((kind) => `after ${kind}`)], ...rows]));
}

/** KiB for each connection. */
async function measureIdle({ load }: Rig, peer: Peer, kind: Kind): Promise<number> {
  const { pid } = peer.process;
  if (pid === undefined) throw new Error(`${peer.name} is not running`);
  for (const mode of [modes.full, modes.keepalive]) {
    await command(load, { type: 'prepare', port: peer.port, mode });
    await command(load, { type: 'run', milliseconds: warmUp });
    await command(load, { type: 'rest' });
  }
  await delay(settling);
  const before = resident(pid);
  await command(load, { type: 'prepare', port: peer.port, mode: idle, silent: kind === 'nothing' });
  await delay(settling);
  const after = resident(pid);
  await command(load, { type: 'rest' });
  return (after - before) / idle.connections;
}

/** KiB of a process and its descendants. */
function resident(pid: number): number {
  return processTree(pid).reduce((sum, each) => sum + residentMemory(each).now * 1_024, 0);
}
