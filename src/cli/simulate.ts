/** `ehi-gateway simulate`: reads its options and files, runs the simulation, and prints its result. */
import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { parseDuration } from '../config/schema/units.ts';
import { exitCodes, UsageError } from '../errors.ts';
import { evidencePage } from '../evidence/page.ts';
import type { SimulationOptions } from '../simulation/options.ts';
import { simulationPage } from '../simulation/page.ts';
import { isDelivered, type Result } from '../simulation/result.ts';
import { createSimulation, type Simulation } from '../simulation/simulation.ts';
import { formatSummary, milliseconds, type Paint } from '../simulation/summary.ts';
import { contact, openTarget, type Target, type TargetOptions } from '../simulation/target.ts';
import { writeOutput } from '../terminal/output-file.ts';
import { printable } from '../terminal/printable.ts';
import { openProgress } from '../terminal/progress.ts';
import { readSecret } from '../terminal/secret.ts';
import { paint } from '../terminal/style.ts';
import { version } from '../version.ts';

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

/** Milliseconds for the connection that is opened before the first message. */
const contactTime = 10_000;
/** Milliseconds between two updates of the progress. */
const progressTime = 250;

/**
 * Resolves with the exit code: 0 if every message was acknowledged, else 1. SIGINT and SIGTERM end the simulation early,
 * with its result so far.
 *
 * @throws UsageError, UnreachableError
 */
export async function simulate(url: string, options: SimulateOptions): Promise<number> {
  const { json, report, force } = options;
  const settings = readSettings(options);
  if (report !== undefined && !force && existsSync(report))
    throw new UsageError(
      `--report ${printable(report)}: exists already; allowed a new name, or --force to replace it`,
    );
  const target = await openTarget(await readTarget(url, options));
  const negotiated = await contact(target, contactTime);
  const simulation = createSimulation({ ...settings, target });
  if (!json) process.stdout.write(`${heading({ target, settings, negotiated })}\n`);
  const result = await runWithProgress(simulation, settings);
  process.stdout.write(
    json ? `${JSON.stringify({ version, negotiated, ...result })}\n` : `${formatSummary(result, painter)}\n`,
  );
  if (report !== undefined) {
    await writeOutput({ file: report, contents: evidencePage(simulationPage(result, version)), force });
    if (!json) process.stdout.write(`\nThe report is in ${printable(report)}.\n`);
  }
  return isDelivered(result) ? exitCodes.drained : exitCodes.failed;
}

type Settings = Omit<SimulationOptions, 'target'>;

/** @throws UsageError: names the option, what was found, and what is allowed. */
function readSettings(options: SimulateOptions): Settings {
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
  throw refused(option, text, 'a whole number and its unit ms, s, m or h, such as 1500ms');
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

async function readTarget(text: string, options: SimulateOptions): Promise<TargetOptions> {
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    throw refused('<url>', text, 'an https or http URL, such as https://ehi.example.com/');
  if (url.username !== '' || url.password !== '')
    throw new UsageError(
      '<url>: found a user name or a password; allowed none: the client is known by its certificate',
    );
  const { ca, cert, key } = options;
  if (url.protocol === 'http:' && (ca ?? cert ?? key) !== undefined)
    throw refused('<url>', 'http with --ca, --cert or --key', 'https with them, or http without');
  if ((cert === undefined) !== (key === undefined))
    throw new UsageError('--cert and --key: found one of them; allowed both or none');
  return {
    url,
    ca: ca === undefined ? null : await readInput('--ca', ca),
    identity: cert === undefined || key === undefined ? null : await readIdentity({ cert, key }, options),
  };
}

async function readIdentity(
  files: { readonly cert: string; readonly key: string },
  { passphraseFile }: SimulateOptions,
): Promise<TargetOptions['identity']> {
  const [cert, key] = [await readInput('--cert', files.cert), await readInput('--key', files.key)];
  if (!/ENCRYPTED/.test(key.toString('latin1'))) return { cert, key };
  const passphrase = await readSecret({
    name: `passphrase of ${printable(files.key)}`,
    option: '--passphrase-file',
    ...(passphraseFile === undefined ? {} : { file: passphraseFile }),
  });
  return { cert, key, passphrase };
}

async function readInput(option: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown';
    throw new UsageError(`${option} ${printable(file)}: cannot be read (${code})`, cause);
  }
}

function heading({
  target,
  settings,
  negotiated,
}: {
  target: Target;
  settings: Settings;
  negotiated: string;
}): string {
  const { rate, duration, keepAlive, timeout, source } = settings;
  const mode = keepAlive ? 'kept connections' : 'one connection for each message';
  return `Sending ${rate} messages/s for ${duration / 1000} s to ${printable(target.url.href)} (${negotiated}, ${mode}, ${source.format}, timeout ${timeout} ms).`;
}

async function runWithProgress(simulation: Simulation, settings: Settings): Promise<Result> {
  const progress = openProgress();
  const timer = setInterval(() => progress.show(progressLine(simulation, settings)), progressTime);
  const stop = () => simulation.stop();
  // Once: a second signal ends the process as usual.
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    return await simulation.run();
  } finally {
    clearInterval(timer);
    process.off('SIGINT', stop).off('SIGTERM', stop);
    progress.end();
  }
}

function progressLine({ tally, connections, elapsed, waiting }: Simulation, { duration }: Settings): string {
  const { attempts, fromSchedule, series, unanswered } = tally;
  const late = tally.countOf('late') + tally.countOf('no_answer');
  const errors = tally
    .failureCounts()
    .filter(({ failure }) => failure !== 'late' && failure !== 'no_answer')
    .map(({ failure, count }) => `${failure} ${count}`);
  if (tally.unasked > 0) errors.push(`doubled ${tally.unasked}`);
  const { last } = series;
  const rateNow = last === undefined ? (attempts * 1000) / elapsed : last.sent / series.step;
  const at = (share: number) => milliseconds(fromSchedule.percentile(share, unanswered));
  return [
    `${(elapsed / 1000).toFixed(0)} s of ${duration / 1000} s`,
    `${rateNow.toFixed(0)}/s`,
    `p50 ${at(0.5)}, p99 ${at(0.99)}, max ${milliseconds(fromSchedule.max)}`,
    `late ${late}`,
    errors.length === 0 ? 'no errors' : `errors: ${errors.join(', ')}`,
    `${connections} connections`,
    ...(waiting > 0 ? [`${waiting} wait for a re-send`] : []),
  ].join('  ');
}

const styles = { good: 'green', bad: 'red', caution: 'yellow', dim: 'dim' } as const;
const painter: Paint = (mark, text) => paint(styles[mark], text);
