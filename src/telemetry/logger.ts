/** The operational log: JSON lines on stderr, or readable ones on a terminal, and never a card number. */
import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';
import pretty from 'pino-pretty';
import { ConfigError } from '../errors.ts';
import { maskDigits } from './mask.ts';

export type { Logger };

const levels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];
const stderr = 2;

/**
 * Opens the log of this thread. The level comes from `EHI_LOG_LEVEL`, `info` by default.
 *
 * Lines are written at once: a log that is lost with the process that it should explain is of no use.
 *
 * @throws ConfigError for an unknown level.
 */
export function createLogger(destination: DestinationStream = openStderr()): Logger {
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

function openStderr(): DestinationStream {
  return process.stderr.isTTY
    ? pretty({ destination: stderr, sync: true })
    : pino.destination({ dest: stderr, sync: true });
}

/** Long numbers become strings first, so that the masked line still is JSON; the ISO time holds no such run. */
function maskLine(line: string): string {
  if (maskDigits(line) === line) return line;
  const quoted = JSON.stringify(JSON.parse(line), (_key, value: unknown) =>
    typeof value === 'number' && maskDigits(`${value}`) !== `${value}` ? `${value}` : value,
  );
  return `${maskDigits(quoted)}\n`;
}
