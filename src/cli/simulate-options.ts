/** The options of `ehi-gateway simulate`: checks each, and reads the files that they name. */
import { randomInt } from 'node:crypto';
import { parseDuration } from '../config/schema/units.ts';
import { UsageError } from '../errors.ts';
import { readBundle, toPem } from '../pki/pem.ts';
import type { TargetOptions } from '../simulation/endpoint.ts';
import type { SimulationOptions } from '../simulation/options.ts';
import { readInput } from '../terminal/input-file.ts';
import { printable } from '../terminal/printable.ts';
import { readPemIdentity } from './client-identity.ts';

/** As the command line gives them. */
export interface SimulateOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly passphraseFile?: string;
  readonly rate: string;
  readonly duration: string;
  readonly format: string;
  readonly connections: string;
  readonly expectContinue: boolean;
  readonly timeout: string;
  readonly lateWait: string;
  readonly resends: string;
  readonly resendInterval: string;
  readonly maxConnections: string;
  readonly seed?: string;
  readonly json: boolean;
  readonly report?: string;
  readonly force: boolean;
}

/** All but the target, which is opened later. */
export type Settings = Omit<SimulationOptions, 'target'>;

/** @throws UsageError: names the option, what was found, and what is allowed. */
export function readSettings(options: SimulateOptions): Settings {
  const seed =
    options.seed === undefined ? randomInt(2 ** 31) : readCount('--seed', options.seed, [0, 2 ** 31 - 1]);
  return {
    source: { seed, format: readChoice('--format', options.format, ['json', 'soap']), began: new Date() },
    rate: readRate(options.rate),
    duration: readTime('--duration', options.duration, 1),
    keepAlive: readChoice('--connections', options.connections, ['keep-alive', 'new']) === 'keep-alive',
    expectContinue: options.expectContinue,
    timeout: readTime('--timeout', options.timeout, 1),
    lateWait: readTime('--late-wait', options.lateWait, 0),
    resends: readCount('--resends', options.resends, [0, 1000]),
    resendInterval: readTime('--resend-interval', options.resendInterval, 1),
    maxConnections: readCount('--max-connections', options.maxConnections, [1, 60_000]),
  };
}

function readRate(text: string): number {
  const rate = /^\d{1,6}(\.\d{1,3})?$/.test(text) ? Number(text) : 0;
  if (rate > 0 && rate <= 100_000) return rate;
  throw refused('--rate', text, 'a number above 0 and at most 100000');
}

function readTime(option: string, text: string, least: number): number {
  const time = parseDuration(text);
  if (time !== undefined && time >= least) return time;
  const bounds = `${least === 0 ? 'from 0s' : 'above 0s'} to 24 days`;
  throw refused(option, text, `a whole number and its unit ms, s, m or h, such as 1500ms, ${bounds}`);
}

function readCount(option: string, text: string, [least, most]: readonly [number, number]): number {
  const count = /^\d{1,10}$/.test(text) ? Number(text) : -1;
  if (count >= least && count <= most) return count;
  throw refused(option, text, `a whole number from ${least} to ${most}`);
}

function readChoice<T extends string>(option: string, text: string, choices: readonly T[]): T {
  const choice = choices.find((each) => each === text);
  if (choice !== undefined) return choice;
  throw refused(option, text, choices.join(' or '));
}

function refused(option: string, found: string, allowed: string): UsageError {
  return new UsageError(`${option}: found ${printable(found)}; allowed ${allowed}`);
}

/** Reads the files that the options name. @throws UsageError */
export async function readTarget(text: string, options: SimulateOptions): Promise<TargetOptions> {
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    throw refused(
      '<url>',
      text.replace(/\/\/.*@/, '//…@'),
      'an https or http URL, such as https://ehi.example.com/',
    );
  if (url.username !== '' || url.password !== '')
    throw new UsageError(
      '<url>: found a user name or a password; allowed none: the client is known by its certificate',
    );
  const { ca, cert, key, passphraseFile } = options;
  if (url.protocol === 'http:' && (ca ?? cert ?? key) !== undefined)
    throw refused('<url>', 'http with --ca, --cert or --key', 'https with them, or http without');
  if ((cert === undefined) !== (key === undefined))
    throw new UsageError('--cert and --key: found one of them; allowed both or none');
  return {
    url,
    ca: ca === undefined ? null : await readAuthorities(ca),
    identity:
      cert === undefined || key === undefined ? null : await readPemIdentity({ cert, key, passphraseFile }),
  };
}

/** OpenSSL would accept a file without a certificate, and then refuse every server. */
async function readAuthorities(file: string): Promise<Buffer> {
  const bytes = await readInput(file, { option: '--ca' });
  try {
    return Buffer.from(
      readBundle(bytes)
        .certificates.map(({ der }) => toPem(der))
        .join(''),
    );
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`--ca ${printable(file)}: ${message}`, cause);
  }
}
