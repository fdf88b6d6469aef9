/** CPU time for each message of every peer under the same load, as ratios to the reference of the same round. */
import { writeFileSync } from 'node:fs';
import { describeMachine, printFacts } from '../figures.ts';
import { type ModeName, modes } from '../modes.ts';
import type { Peer } from '../peers/peer.ts';
import { stop } from '../processes.ts';
import { formatMode, type Round } from '../report.ts';
import { inTurn, openPeer, type Rig } from '../rig.ts';
import { measureSlice } from '../slice.ts';

export async function measureCost(rig: Rig): Promise<void> {
  const { options } = rig;
  const peers: Peer[] = [];
  for (const name of options.peers) peers.push(await openPeer(rig, name));
  const facts = describeMachine(peers);
  printFacts(facts);
  const reports: { mode: ModeName; rounds: Round[] }[] = [];
  for (const mode of options.modes) {
    const rounds: Round[] = [];
    for (let round = -options.warmUps; round < options.rounds; round += 1) {
      const measured = await measureRound(rig, { peers: inTurn(peers, round), mode });
      if (round >= 0) rounds.push(measured);
    }
    reports.push({ mode, rounds });
    console.log(`\n${formatMode({ mode, rounds }, peers)}`);
  }
  const { json, offer, profile } = options;
  if (json !== null) writeFileSync(json, JSON.stringify({ facts, offer, reports }, null, 2));
  for (const peer of peers) await stop(peer.process);
  if (profile !== null) console.log(`\nCPU profiles: ${profile}`);
}

async function measureRound(
  { load, options: { milliseconds } }: Rig,
  { peers, mode }: { peers: readonly Peer[]; mode: ModeName },
): Promise<Round> {
  const slices: Round = {};
  for (const peer of peers) {
    const order = { type: 'run', milliseconds } as const;
    slices[peer.name] = await measureSlice({ load, peer, mode: modes[mode], order });
  }
  return slices;
}
