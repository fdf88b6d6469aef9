/** The operational log: JSON lines on stderr, formatted for reading on a terminal; card numbers are masked. */
import { isatty } from 'node:tty';
import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';
import { prettyFactory } from 'pino-pretty';
import { ConfigError } from '../errors.ts';
import { printableValue, safeJsonText } from '../foreign-text.ts';
import { maskDigits } from './card-number-mask.ts';
import { openLogOutput } from './log-output.ts';
import { type LogLine, RepeatedLines } from './repeated-lines.ts';

export type { Logger };

const levels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];
const stderr = 2;
/** A line that is repeated is written at once, and then at most once in this time with the number of repetitions, ms. */
const repeatMs = 60_000;

export interface Log {
  readonly logger: Logger;
  /** For lines that may be repeated often: they are collapsed. What it still holds is written when the process exits. */
  readonly failures: RepeatedLines;
  /** Lines that stderr did not accept, since the start. */
  linesDropped(): number;
}

/**
 * Opens the log on stderr. Lines are written synchronously where possible, so that the last line before a crash is not
 * lost. Lines that stderr does not accept are dropped and counted.
 *
 * @throws ConfigError for an unknown level.
 */
export function openLog(): Log {
  const output = openLogOutput((dropped) =>
    logger.warn(
      { dropped },
      'log lines were dropped because stderr did not accept them; free disk space, or see why its reader does not read',
    ),
  );
  const pretty = isatty(stderr) ? prettyFactory({}) : null;
  const logger = createLogger({
    write: (line) => output.write(pretty === null ? line : pretty(forTerminal(line))),
  });
  const failures = new RepeatedLines({
    windowMs: repeatMs,
    write: ({ level, message, fields }, seconds) =>
      logger[level](fields, seconds === null ? message : `${message} ${times(fields, seconds)}`),
  });
  process.once('exit', () => failures.flush());
  return { logger, failures, linesDropped: () => output.dropped };
}

/** A line of the log for pino-pretty, which would write the texts of its fields as they are. */
export function forTerminal(line: string): object {
  return printableValue(JSON.parse(line));
}

function times({ repeated, mixed }: LogLine['fields'], seconds: number): string {
  const count = repeated === 1 ? 'once more' : `${repeated} more times`;
  return `(${count}${mixed === true ? ', also with other fields,' : ''} in the last ${seconds} s)`;
}

/**
 * The level comes from `EHI_LOG_LEVEL`, `info` by default.
 *
 * @throws ConfigError for an unknown level.
 */
export function createLogger(destination: DestinationStream): Logger {
  const level = process.env.EHI_LOG_LEVEL ?? 'info';
  if (!levels.includes(level)) {
    const found = JSON.stringify(level);
    throw new ConfigError([
      { file: 'environment', line: 1, column: 1, path: 'EHI_LOG_LEVEL', found, allowed: levels.join(', ') },
    ]);
  }
  const hooks = { streamWrite: maskLine };
  return pino({ level, base: null, timestamp: stdTimeFunctions.isoTime, hooks }, destination);
}

/** Long numbers are quoted first, so that the masked line is still JSON. The ISO time contains no run of 13 digits. */
function maskLine(line: string): string {
  if (maskDigits(line) === line) return safeJsonText(line);
  const quoted = JSON.stringify(JSON.parse(line), (_key, value: unknown) =>
    typeof value === 'number' && maskDigits(`${value}`) !== `${value}` ? `${value}` : value,
  );
  return safeJsonText(`${maskDigits(quoted)}\n`);
}
