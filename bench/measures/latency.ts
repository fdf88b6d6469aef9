/** What a peer adds to a message's time at a fixed rate: beside the host alone, and beside HAProxy in the same round. */
import { writeFileSync } from 'node:fs';
import { align, describeMachine, median, printFacts, quantile, quartiles } from '../figures.ts';
import { type ModeName, modes } from '../modes.ts';
import { formatShares, logSize, ownShares } from '../own-share.ts';
import type { Peer, PeerName } from '../peers/peer.ts';
import { stop } from '../processes.ts';
import { inTurn, openPeer, type Rig } from '../rig.ts';
import { command, measureSlice } from '../slice.ts';

const warmUps = 2;

/** Milliseconds from when a message was due to its whole response. */
export interface Times {
  readonly p50: number;
  readonly p99: number;
}
type Target = PeerName | 'direct';
/** One round of a mode: every peer, and the host without one, within seconds of each other. */
export type LatencyRound = Partial<Record<Target, Times>>;
type Part = keyof Times;

export async function measureLatency(rig: Rig): Promise<void> {
  const { options } = rig;
  const peers: Peer[] = [];
  for (const name of options.peers) peers.push(await openPeer(rig, name));
  const facts = describeMachine(peers);
  printFacts(facts);
  const reports: { mode: ModeName; rounds: LatencyRound[] }[] = [];
  for (const mode of options.modes) {
    const rounds: LatencyRound[] = [];
    const gateways = peers.filter(({ name }) => name === 'gateway' || name === 'before');
    let before: number[] = [];
    for (let round = -warmUps; round < options.rounds; round += 1) {
      const times: LatencyRound = {};
      if (round === 0) before = gateways.map(logSize);
      for (const peer of inTurn([null, ...peers], round)) {
        times[peer?.name ?? 'direct'] = await measureTimes(rig, { peer, mode });
      }
      if (round >= 0) rounds.push(times);
    }
    reports.push({ mode, rounds });
    console.log(`\n${formatLatency(rig, { mode, rounds })}`);
    for (const [index, peer] of gateways.entries())
      console.log(formatShares(peer.name, ownShares(peer, before[index] ?? 0)));
  }
  if (options.json !== null) writeFileSync(options.json, JSON.stringify({ facts, reports }, null, 2));
  for (const peer of peers) await stop(peer.process);
}

/** `peer`: null for the host without a gateway, over plain HTTP. */
async function measureTimes(rig: Rig, { peer, mode }: { peer: Peer | null; mode: ModeName }): Promise<Times> {
  const { load, options } = rig;
  const { milliseconds, rate } = options;
  const order = { type: 'pace', milliseconds, rate } as const;
  const run =
    peer === null ? measureDirect(rig, mode) : measureSlice({ load, peer, mode: modes[mode], order });
  const { messages, times = [] } = await run;
  const due = Math.round((rate * milliseconds) / 1_000);
  if (messages !== due || times.length !== due) throw new Error(`${messages} answers to ${due} messages`);
  return { p50: quantile(times, 0.5), p99: quantile(times, 0.99) };
}

async function measureDirect({ load, needs, options: { milliseconds, rate } }: Rig, mode: ModeName) {
  await command(load, { type: 'prepare', port: needs.upstream, mode: modes[mode], plain: true });
  const result = await command(load, { type: 'pace', milliseconds, rate });
  await command(load, { type: 'rest' });
  return result;
}

/** How much longer a message took, for each round in which both were measured. */
export function differences(
  rounds: readonly LatencyRound[],
  { peer, than, part }: { peer: Target; than: Target; part: Part },
): number[] {
  return rounds.flatMap((round) => {
    const [times, base] = [round[peer], round[than]];
    return times === undefined || base === undefined ? [] : [times[part] - base[part]];
  });
}

function formatLatency(
  { options }: Rig,
  { mode, rounds }: { mode: ModeName; rounds: readonly LatencyRound[] },
): string {
  const { connections, handshake } = modes[mode];
  const pattern =
    handshake === 'none' ? `on ${connections} kept connections` : `each with a ${handshake} handshake`;
  const parts = ['p50', 'p99'] as const;
  const rows = (['direct', ...options.peers] as const).map((peer) => [
    peer,
    ...parts.flatMap((part) => {
      const own = rounds.flatMap((round) => round[peer]?.[part] ?? []);
      const added = differences(rounds, { peer, than: 'direct', part });
      return [median(own).toFixed(2), peer === 'direct' ? '' : median(added).toFixed(2)];
    }),
  ]);
  const lines = [
    `${mode}: ${options.rate} messages a second, ${pattern}; ${rounds.length} rounds of ${options.milliseconds} ms`,
    align([['', ...parts.flatMap((part) => [`${part}, ms`, 'added'])], ...rows]),
  ];
  if (options.peers.includes('haproxy') && options.peers.includes('gateway')) {
    const gaps = parts.map((part) => {
      const between = differences(rounds, { peer: 'gateway', than: 'haproxy', part });
      return `${part} ${median(between).toFixed(3)} ms (quartiles ${quartiles(between, 3)})`;
    });
    lines.push(`gateway − haproxy, median of the rounds’ differences: ${gaps.join(', ')}`);
  }
  return lines.join('\n');
}
