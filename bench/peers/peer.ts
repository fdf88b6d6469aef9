/** The interface of everything that the bench measures, and the places of a peer's files. */
import type { ChildProcess } from 'node:child_process';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Certificates } from '../certificates.ts';
import { makeFolder } from '../processes.ts';
import type { BoundToken } from '../token.ts';

export interface PeerNeeds {
  readonly certificates: Certificates;
  readonly token: BoundToken;
  /** Port of the internal host on 127.0.0.1. */
  readonly upstream: number;
  /** The chroot folder with the peers; null: those on the PATH. */
  readonly root: string | null;
}

/** A log whose lines are counted by their text. */
export interface PeerLog {
  readonly file: string;
  /** One per message. */
  readonly message: string;
  /** One per full, one per resumed handshake, where each connection carries one message. */
  readonly full: string;
  readonly resumed: string;
}

export interface Peer {
  readonly name: PeerName;
  readonly version: string;
  readonly port: number;
  readonly process: ChildProcess;
  /** null if the peer is measured bare: no log, no fields set. */
  readonly log: PeerLog | null;
  /** An access token that the load sends with each message; absent: none. */
  readonly token?: string | undefined;
}

/**
 * The first of those that run is the reference. `node` is `https.createServer` with a fixed response, `before` is the gateway of another checkout, `gateway-sealed` one that seals
 * its audit and signs the seals, `gateway-large` one with a
 * thousand ranges, pins and routes. `gateway-token` gets a bound access token with each message and forwards it,
 * `gateway-bearer` judges it as well: the difference of the two is the cost of the policy.
 */
export const peerNames = [
  'haproxy',
  'nginx',
  'node',
  'http-proxy',
  'before',
  'gateway',
  'gateway-sealed',
  'gateway-large',
  'gateway-token',
  'gateway-bearer',
] as const;
export type PeerName = (typeof peerNames)[number];

export interface Home {
  /** As the bench sees it, and as the peer does. */
  readonly outside: string;
  readonly inside: string;
  /** The prefix of a command, so that it runs in its root. */
  readonly enter: readonly string[];
}

/** A folder with the certificates as PEM files; keys are for the owner only. */
export function makeHome({ certificates, root }: Pick<PeerNeeds, 'certificates' | 'root'>): Home {
  const outside = root === null ? makeFolder() : makeFolder(join(root, 'tmp'));
  const { server } = certificates;
  const files = {
    'root.pem': certificates.root,
    'issuing.pem': certificates.issuing,
    'ca.pem': certificates.root + certificates.issuing,
    'root.crl': certificates.crls[0],
    'issuing.crl': certificates.crls[1],
    'crl.pem': certificates.crls.join(''),
    'server.pem': server.chain,
    'server.key': server.key,
    'server-all.pem': server.chain + server.key,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(outside, name), text, { mode: 0o600 });
  return root === null
    ? { outside, inside: outside, enter: [] }
    : { outside, inside: outside.slice(root.replace(/\/+$/, '').length), enter: ['chroot', root] };
}

/** The version that a program prints, and that of its OpenSSL. */
export function describeProgram(home: Home, command: readonly [string, ...string[]]): string {
  const [program = '', ...words] = [...home.enter, ...command];
  const { stdout, stderr, error } = spawnSync(program, words, { encoding: 'utf8' });
  if (error !== undefined) throw new Error(`${command[0]} cannot be run; see --peers`, { cause: error });
  const text = `${stdout}${stderr}`;
  const version = /(?:version:? |nginx\/)(\d[\w.]*)/i.exec(text)?.[1];
  const openssl =
    /(?:running on|built with) (?:SSL library version : |OpenSSL version : )?(OpenSSL [\d.]+)/i.exec(
      text,
    )?.[1];
  if (version === undefined) throw new Error(`${command.join(' ')} prints no version: ${text.slice(0, 200)}`);
  return `${version}, ${openssl ?? 'OpenSSL unknown'}`;
}
