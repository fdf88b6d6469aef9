/** `ehi-gateway run`: starts the gateway, turns signals into a drain and errors into exit codes. */
import { runControl } from '../control/run-control.ts';
import { ConfigError, describeProblem, exitCodes, GatewayError } from '../errors.ts';
import { type Logger, openLog } from '../telemetry/logger.ts';

/** Resolves with the exit code when the gateway has drained, or cannot run. */
export async function run({ config }: { readonly config: string }): Promise<number> {
  let logger: Logger | null = null;
  const stop = new AbortController();
  const signals = new EventTarget();
  const onSignal = () => stop.abort();
  // A fault that nobody caught: the state behind it is unknown, so the process ends, with its last word in the log.
  process.once('uncaughtException', (error) => process.exit(fail(error, logger)));
  // Never taken off: a second signal must not kill the process between its last record and its exit code.
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  process.on('SIGHUP', () => signals.dispatchEvent(new Event('reload')));
  // Without them a reader that went away would end the process: with the first line, or with a thread that is started.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  try {
    const log = openLog();
    logger = log.logger;
    const { recordsLost } = await runControl({ config, log, stop: stop.signal, signals });
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
  const message = error instanceof Error ? error.message : String(error);
  if (logger === null) process.stderr.write(`${message}\n`);
  else logger.fatal({ code }, message);
  return code === 'ADDRESS_IN_USE' ? exitCodes.addressInUse : exitCodes.fault;
}
