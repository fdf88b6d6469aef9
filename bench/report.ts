/** What the slices tell: medians of the rounds' ratios, as a table. */
import { cpus, loadavg, release } from 'node:os';
import { type ModeName, modes } from './modes.ts';
import type { Peer, PeerName } from './peers/peer.ts';
import { nodeVersion } from './processes.ts';
import type { Slice } from './slice.ts';

/** One round of a mode: a slice of every peer, measured within seconds of each other. */
export type Round = Partial<Record<PeerName, Slice>>;

export interface ModeReport {
  readonly mode: ModeName;
  readonly rounds: readonly Round[];
}

/** Facts without which the figures mean little. */
export function describeMachine(peers: readonly Peer[]): Record<string, string> {
  const facts: Record<string, string> = {
    machine: `${cpus().length} × ${cpus()[0]?.model.trim()}, Linux ${release()}`,
    'load average': `${loadavg()[0]?.toFixed(2)} before the bench; figures of a busy machine scatter`,
    'load and host': nodeVersion,
  };
  for (const { name, version } of peers) facts[name] = version;
  return facts;
}

/** CPU time per message in nanoseconds. */
export function cost({ cpu, messages }: Slice): number {
  return cpu / messages;
}

/** Ratios of a peer's cost to the reference's, one for each round in which both were measured. */
export function ratios(options: { rounds: readonly Round[]; peer: PeerName; reference: PeerName }): number[] {
  const { rounds, peer, reference } = options;
  return rounds.flatMap((round) => {
    const [slice, base] = [round[peer], round[reference]];
    return slice === undefined || base === undefined ? [] : [cost(slice) / cost(base)];
  });
}

/** Linear interpolation between the two nearest ranks; `part` from 0 to 1. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const rank = (sorted.length - 1) * part;
  const [low, high] = [sorted[Math.floor(rank)], sorted[Math.ceil(rank)]];
  if (low === undefined || high === undefined) return Number.NaN;
  return low + (high - low) * (rank % 1);
}

/** The table of one mode; the first peer is the reference of the ratios. */
export function formatMode({ mode, rounds }: ModeReport, peers: readonly Peer[]): string {
  const [reference] = peers;
  if (reference === undefined) return '';
  const { connections, handshake } = modes[mode];
  const pattern = handshake === 'none' ? 'kept open' : `one per message, ${handshake} handshake`;
  const rows = peers.map(({ name }) => {
    const slices = rounds.flatMap((round) => round[name] ?? []);
    const ratio = ratios({ rounds, peer: name, reference: reference.name });
    return [
      name,
      quantile(ratio, 0.5).toFixed(2),
      `${quantile(ratio, 0.25).toFixed(2)}–${quantile(ratio, 0.75).toFixed(2)}`,
      (quantile(slices.map(cost), 0.5) / 1_000).toFixed(1),
      quantile(
        slices.map(({ messages, milliseconds }) => (messages * 1_000) / milliseconds),
        0.5,
      ).toFixed(0),
      [...new Set(slices.map(({ negotiated }) => negotiated))].join(', '),
    ];
  });
  const head = ['', `CPU, × ${reference.name}`, 'quartiles', 'µs/message', 'messages/s', 'negotiated'];
  const title = `${mode}: ${connections} connections ${pattern}; ${rounds.length} rounds`;
  return `${title}\n${align([head, ...rows])}`;
}

function align(rows: readonly (readonly string[])[]): string {
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(width(column)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
