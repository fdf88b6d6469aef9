/** The command line of the bench. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { exitCodes } from '../src/errors.ts';
import { type ModeName, modes, type Offer } from './modes.ts';
import { type PeerName, peerNames } from './peers/peer.ts';

export interface BenchOptions {
  /** The chroot folder that holds haproxy and nginx; null: those on the PATH. */
  readonly root: string | null;
  readonly peers: readonly PeerName[];
  readonly modes: readonly ModeName[];
  readonly rounds: number;
  readonly milliseconds: number;
  readonly offer: Offer;
  readonly json: string | null;
  readonly profile: string | null;
  /** Folder of another checkout, whose gateway is the peer `before`. */
  readonly against: string | null;
}

const modeNames = Object.keys(modes) as ModeName[];
/** Those that need no other checkout. */
const ownNames = peerNames.filter((name) => name !== 'before');

const usage = `npm run bench -- [options]
  --peers DIR      chroot folder that holds haproxy and nginx; without it: those on the PATH
  --only a,b       of ${ownNames.join(', ')}; the first in this order is the reference
  --against DIR    another checkout, whose gateway runs in the same rounds as the peer "before"
  --modes a,b      of ${modeNames.join(', ')}
  --rounds N       measured rounds of each mode (10)
  --slice MS       milliseconds of load in a slice (1000)
  --suites LIST    TLS 1.3 and 1.2 suites that the client offers, in its order, as OpenSSL names them
  --groups LIST    key exchange groups that the client offers (Node's own)
  --json FILE      every slice, raw
  --profile DIR    the gateway alone, with Node's CPU profiles written to DIR`;

const suites = [
  'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/** Reads the command line; on `--help` and on what it does not understand, tells the usage and ends the process. */
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
  const { values } = parseArgs({
    options: {
      peers: text,
      only: { ...text, default: ownNames.join(',') },
      against: text,
      modes: { ...text, default: modeNames.join(',') },
      rounds: { ...text, default: '10' },
      slice: { ...text, default: '1000' },
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
  return {
    root: values.peers === undefined ? null : resolve(values.peers),
    peers: choosePeers(values),
    modes: choose(values.modes, modeNames),
    rounds: count(values.rounds),
    milliseconds: count(values.slice),
    offer: { ciphers: values.suites, groups: values.groups },
    json: values.json ?? null,
    profile: values.profile === undefined ? null : resolve(values.profile),
    against: values.against === undefined ? null : resolve(values.against),
  };
}

interface PeerChoice {
  readonly only: string;
  readonly profile?: string | undefined;
  readonly against?: string | undefined;
}

function choosePeers({ only, profile, against }: PeerChoice): PeerName[] {
  if (profile !== undefined) return ['gateway'];
  const chosen = choose(only, ownNames);
  return peerNames.filter((name) => (name === 'before' ? against !== undefined : chosen.includes(name)));
}

/** In the order of `known`, whatever the order asked for. */
function choose<Name extends string>(list: string, known: readonly Name[]): Name[] {
  const asked = list.split(',');
  const unknown = asked.filter((name) => !known.some((other) => other === name));
  if (unknown.length > 0) throw new Error(`unknown: ${unknown.join(', ')}; known: ${known.join(', ')}`);
  return known.filter((name) => asked.includes(name));
}

function count(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`${text} is not a whole number of at least 1`);
  return Number(text);
}
