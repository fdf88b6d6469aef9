/** The report of the slices: medians of the rounds' ratios, as a table. */
import { align, median, quartiles } from './figures.ts';
import { type ModeName, modes } from './modes.ts';
import type { Peer, PeerName } from './peers/peer.ts';
import type { Slice } from './slice.ts';

/** One round of a mode: a slice of every peer, measured within seconds of each other. */
export type Round = Partial<Record<PeerName, Slice>>;

export interface ModeReport {
  readonly mode: ModeName;
  readonly rounds: readonly Round[];
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

/** The table of one mode; the first peer is the reference of the ratios, and the peer `node` a second one. */
export function formatMode({ mode, rounds }: ModeReport, peers: readonly Peer[]): string {
  const [reference] = peers;
  if (reference === undefined) return '';
  const { connections, handshake } = modes[mode];
  const pattern = handshake === 'none' ? 'kept open' : `one per message, ${handshake} handshake`;
  // Node's own server is the floor for a gateway on Node, whatever the reference is.
  const bases = [reference.name, ...peers.slice(1).flatMap(({ name }) => (name === 'node' ? [name] : []))];
  const rows = peers.map(({ name }) => {
    const slices = rounds.flatMap((round) => round[name] ?? []);
    const ratioTo = (base: PeerName) => {
      const ratio = ratios({ rounds, peer: name, reference: base });
      return [median(ratio).toFixed(2), quartiles(ratio, 2)];
    };
    return [
      name,
      ...bases.flatMap(ratioTo),
      (median(slices.map(cost)) / 1_000).toFixed(1),
      median(slices.map(({ messages, milliseconds }) => (messages * 1_000) / milliseconds)).toFixed(0),
      [...new Set(slices.map(({ negotiated }) => negotiated))].join(', '),
    ];
  });
  const heads = bases.flatMap((base) => [`CPU, × ${base}`, 'quartiles']);
  const head = ['', ...heads, 'µs/message', 'messages/s', 'negotiated'];
  const title = `${mode}: ${connections} connections ${pattern}; ${rounds.length} rounds`;
  return `${title}\n${align([head, ...rows])}`;
}
