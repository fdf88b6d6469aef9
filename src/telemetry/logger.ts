/** The operational log: JSON lines on stderr, or readable ones on a terminal, and never a card number. */
import { isatty } from 'node:tty';
import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';
import { prettyFactory } from 'pino-pretty';
import { ConfigError } from '../errors.ts';
import { openLogOutput } from './log-output.ts';
import { maskDigits } from './mask.ts';

export type { Logger };

const levels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];
const stderr = 2;

export interface Log {
  readonly logger: Logger;
  /** Lines that stderr did not take, since the start. */
  linesDropped(): number;
}

/**
 * Opens the log of this thread on stderr. Lines are written at once where stderr takes them: a log that is lost with
 * the process that it should explain is of no use. Where stderr does not, they are dropped and counted.
 *
 * @throws ConfigError for an unknown level.
 */
export function openLog(): Log {
  const output = openLogOutput((dropped) =>
    logger.warn({ dropped }, 'log lines were dropped, since stderr did not take them'),
  );
  const pretty = isatty(stderr) ? prettyFactory({}) : null;
  const logger = createLogger({
    write: (line) => output.write(pretty === null ? line : pretty(line)),
  });
  return { logger, linesDropped: () => output.dropped };
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

/** Long numbers become strings first, so that the masked line still is JSON; the ISO time holds no such run. */
function maskLine(line: string): string {
  if (maskDigits(line) === line) return line;
  const quoted = JSON.stringify(JSON.parse(line), (_key, value: unknown) =>
    typeof value === 'number' && maskDigits(`${value}`) !== `${value}` ? `${value}` : value,
  );
  return `${maskDigits(quoted)}\n`;
}
