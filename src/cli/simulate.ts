/** `ehi-gateway simulate`: reads its options and files, runs the simulation, and prints its result. */
import { exitCodes, UsageError } from '../errors.ts';
import { evidencePage } from '../evidence/page.ts';
import { contact, openTarget, type Target } from '../simulation/endpoint.ts';
import { simulationPage } from '../simulation/page.ts';
import { isDelivered, type Result } from '../simulation/result.ts';
import { createSimulation, type Simulation } from '../simulation/simulation.ts';
import { formatSummary, milliseconds, type Paint } from '../simulation/summary.ts';
import { paint } from '../terminal/colours.ts';
import { jsonLine } from '../terminal/json.ts';
import { checkOutput, writeOutput } from '../terminal/output-file.ts';
import { printable } from '../terminal/printable.ts';
import { openProgress } from '../terminal/progress.ts';
import { version } from '../version.ts';
import { readSettings, readTarget, type Settings, type SimulateOptions } from './simulate-options.ts';

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
  if (report !== undefined) await checkReport(report, force);
  const target = await openTarget(await readTarget(url, options));
  const negotiated = await contact(target, contactTime);
  const simulation = createSimulation({ ...settings, target });
  if (!json) process.stdout.write(`${heading({ target, settings, negotiated })}\n`);
  const result = await runWithProgress(simulation, settings);
  try {
    // First, because the reader of stdout may have closed it, which ends the command.
    if (report !== undefined)
      await writeOutput({ file: report, contents: evidencePage(simulationPage(result, version)), force });
  } finally {
    process.stdout.write(
      json ? jsonLine({ version, negotiated, ...result }) : `${formatSummary(result, painter)}\n`,
    );
  }
  if (report !== undefined && !json) process.stdout.write(`\nThe report is in ${printable(report)}.\n`);
  return isDelivered(result) ? exitCodes.drained : exitCodes.failed;
}

/** Before the first message, because a simulation takes long. @throws UsageError */
async function checkReport(file: string, force: boolean): Promise<void> {
  try {
    await checkOutput({ file, force });
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(`--report ${error.message}`, error) : error;
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
