/** `ehi-gateway run`: starts the gateway, drains it on a signal, and maps errors to exit codes. */

import { runControl } from '../control/startup.ts';
import { ConfigError, describeProblem, exitCodes, GatewayError } from '../errors.ts';
import { printableLines } from '../foreign-text.ts';
import { type Logger, openLog } from '../telemetry/logger.ts';

interface RunOptions {
  readonly config: string;
  /** Do not print the ready line on stdout. */
  readonly quiet?: boolean;
}

/** Resolves with the exit code when the gateway has drained or cannot run. */
export async function run({ config, quiet = false }: RunOptions): Promise<number> {
  let logger: Logger | null = null;
  const stop = new AbortController();
  const signals = new EventTarget();
  const onSignal = () => stop.abort();
  // After an uncaught error the state of the process is unknown, so it logs the error and ends.
  process.once('uncaughtException', (error) => process.exit(fail(error, logger)));
  // Never removed: a second signal must not kill the process before it exits with its code.
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  process.on('SIGHUP', () => signals.dispatchEvent(new Event('reload')));
  // Without these listeners, a closed pipe on stdout or stderr would end the process.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  try {
    const log = openLog();
    logger = log.logger;
    const onReady = (ready: object) => {
      if (!quiet) process.stdout.write(`${JSON.stringify({ type: 'ready', ...ready })}\n`);
    };
    const { recordsLost } = await runControl({ config, log, stop: stop.signal, signals, onReady });
    return recordsLost === 0 ? exitCodes.drained : exitCodes.fault;
  } catch (error) {
    return fail(error, logger);
  }
}

function fail(error: unknown, logger: Logger | null): number {
  if (error instanceof ConfigError) {
    for (const problem of error.problems) process.stderr.write(`${describeProblem(problem)}\n`);
    return exitCodes.configuration;
  }
  const code = error instanceof GatewayError ? error.code : 'FAULT';
  const what = error instanceof Error ? error.message : String(error);
  const message =
    code === 'FAULT' ? `the gateway ends because of an unexpected error; report it: ${what}` : what;
  if (logger === null) process.stderr.write(`${printableLines(message)}\n`);
  else logger.fatal({ code }, message);
  return code === 'ADDRESS_IN_USE' ? exitCodes.addressInUse : exitCodes.fault;
}
