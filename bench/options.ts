/** The command line of the bench. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { exitCodes } from '../src/errors.ts';
import { type ModeName, modes, type Offer } from './modes.ts';
import { type PeerName, peerNames } from './peers/peer.ts';

interface Defaults {
  readonly says: string;
  readonly peers: readonly PeerName[];
  readonly modes: readonly ModeName[];
  readonly rounds: number;
  /** Milliseconds. */
  readonly slice: number;
}

const modeNames = Object.keys(modes) as ModeName[];

/** What can be measured, the first by default, and the peers and modes that each measures by default. */
const measures = {
  cost: {
    says: 'CPU time per message, as ratios to the reference',
    peers: ['haproxy', 'nginx', 'node', 'http-proxy', 'gateway'],
    modes: modeNames,
    rounds: 10,
    slice: 1_000,
  },
  latency: {
    says: 'what each peer adds to a message’s time at a fixed rate',
    peers: ['haproxy', 'nginx', 'gateway'],
    modes: ['keepalive', 'resumed'],
    rounds: 10,
    slice: 3_000,
  },
  memory: {
    says: 'resident memory per idle connection',
    peers: ['haproxy', 'nginx', 'gateway'],
    modes: [],
    rounds: 3,
    slice: 1,
  },
  start: {
    says: 'from the spawn of dist/main.js to its ready line',
    peers: [],
    modes: [],
    rounds: 10,
    slice: 1,
  },
  relays: {
    says: 'messages a second of two relays beside one; needs four free cores',
    peers: [],
    modes: ['keepalive', 'full'],
    rounds: 10,
    slice: 2_000,
  },
} as const satisfies Record<string, Defaults>;

export type Measure = keyof typeof measures;

export interface BenchOptions {
  readonly measure: Measure;
  /** The chroot folder with haproxy and nginx; null: those on the PATH. */
  readonly root: string | null;
  readonly peers: readonly PeerName[];
  readonly modes: readonly ModeName[];
  readonly rounds: number;
  /** Rounds that are discarded first: code that Node has not compiled yet costs several times as much. */
  readonly warmUps: number;
  readonly milliseconds: number;
  /** Messages a second, if the rate is fixed. */
  readonly rate: number;
  readonly offer: Offer;
  readonly json: string | null;
  readonly profile: string | null;
  /** Folder of another checkout, whose gateway is the peer `before`. */
  readonly against: string | null;
}

/** Those that need no other checkout. */
const ownNames = peerNames.filter((name) => name !== 'before');
const measureNames = Object.keys(measures) as Measure[];

const usage = `npm run bench -- [measure] [options]
  measure          ${measureNames.map((name) => `${name.padEnd(9)}${measures[name].says}`).join('\n                   ')}
  --peers DIR      chroot folder that holds haproxy and nginx; without it: those on the PATH
  --only a,b       of ${ownNames.join(', ')}; the first in this order is the reference
  --against DIR    another checkout, whose gateway runs in the same rounds as the peer "before"
  --modes a,b      of ${modeNames.join(', ')}
  --rounds N       measured rounds of each mode
  --warm-ups N     rounds that are discarded first (3); with 2 s slices 10 of them are 20 s of load on each peer
  --slice MS       milliseconds of load in a slice
  --rate N         messages a second, for latency (200)
  --suites LIST    TLS 1.3 and 1.2 suites that the client offers, in its order, as OpenSSL names them
  --groups LIST    key exchange groups that the client offers (Node's own)
  --json FILE      every slice or round, raw
  --profile DIR    the gateway alone, with Node's CPU profiles written to DIR`;

const suites = [
  'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/** Reads the command line; for `--help` and for unknown arguments, prints the usage and ends the process. */
export function readOptions(): BenchOptions {
  try {
    return parse();
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${usage}`);
    process.exit(exitCodes.usage);
  }
}

function parse(): BenchOptions {
  const text = { type: 'string' } as const;
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      peers: text,
      only: text,
      against: text,
      modes: text,
      rounds: text,
      'warm-ups': { ...text, default: '3' },
      slice: text,
      rate: { ...text, default: '200' },
      suites: { ...text, default: suites },
      groups: { ...text, default: 'auto' },
      json: text,
      profile: text,
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    process.exit();
  }
  const [measure = 'cost'] = choose(positionals, measureNames);
  const defaults: Defaults = measures[measure];
  return {
    measure,
    root: values.peers === undefined ? null : resolve(values.peers),
    peers: choosePeers(values, defaults),
    modes: values.modes === undefined ? defaults.modes : choose(values.modes.split(','), modeNames),
    rounds: values.rounds === undefined ? defaults.rounds : count(values.rounds),
    warmUps: count(values['warm-ups']),
    milliseconds: values.slice === undefined ? defaults.slice : count(values.slice),
    rate: count(values.rate),
    offer: { ciphers: values.suites, groups: values.groups },
    json: values.json ?? null,
    profile: values.profile === undefined ? null : resolve(values.profile),
    against: values.against === undefined ? null : resolve(values.against),
  };
}

interface PeerChoice {
  readonly only?: string | undefined;
  readonly profile?: string | undefined;
  readonly against?: string | undefined;
}

function choosePeers({ only, profile, against }: PeerChoice, defaults: Defaults): PeerName[] {
  if (profile !== undefined) return ['gateway'];
  const chosen = only === undefined ? defaults.peers : choose(only.split(','), ownNames);
  return peerNames.filter((name) => (name === 'before' ? against !== undefined : chosen.includes(name)));
}

/** In the order of `known`, not of the command line. */
function choose<Name extends string>(asked: readonly string[], known: readonly Name[]): Name[] {
  const unknown = asked.filter((name) => !known.some((other) => other === name));
  if (unknown.length > 0) throw new Error(`unknown: ${unknown.join(', ')}; known: ${known.join(', ')}`);
  return known.filter((name) => asked.includes(name));
}

function count(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`${text} is not a whole number of at least 1`);
  return Number(text);
}
