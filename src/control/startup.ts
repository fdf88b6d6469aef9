/** Starts the gateway: checks the configuration and the machine, opens the audit and runs the control thread until it drains. */

import { sealCopyFile } from '../audit/seals/seal-copy.ts';
import { type AuditWriter, openAuditWriter } from '../audit/writer.ts';
import type { AuditEvent } from '../audit/writer-event.ts';
import type { LoadedConfig } from '../config/load.ts';
import { ConfigError, type ConfigProblem } from '../errors.ts';
import { namedProxies } from '../fetch/egress-proxy.ts';
import type { Log } from '../telemetry/logger.ts';
import { reportAudit, reportLost } from './audit-reports.ts';
import { Control, type ControlParts, type Ready } from './control.ts';
import { Reporting } from './event-reports.ts';
import { assertStart, checkStart } from './machine-check.ts';
import { preflight } from './preflight.ts';
import { RecentChanges } from './recent-changes.ts';
import { ServiceManager } from './systemd-notify.ts';

interface ControlOptions {
  /** Path of the configuration file. */
  readonly config: string;
  readonly log: Log;
  /** When aborted, the gateway drains and ends. */
  readonly stop: AbortSignal;
  /** A `reload` event reloads the configuration, changed or not. */
  readonly signals: EventTarget;
  /** Called once, when the gateway accepts messages. */
  readonly onReady: (ready: Ready) => void;
}

/**
 * Runs the gateway until `stop`. Resolves when it has drained, with the number of audit records that were not written.
 * Throws ConfigError, GatewayError.
 */
export async function runControl(options: ControlOptions): Promise<{ readonly recordsLost: number }> {
  const { logger } = options.log;
  const { loaded, problems, warnings } = await preflight(options.config);
  if (loaded === null) throw new ConfigError(problems);
  const proxies = namedProxies();
  if (Object.keys(proxies).length > 0)
    logger.info(
      proxies,
      'trust anchors, CRLs and OCSP answers are fetched, and spans are sent, through a proxy',
    );
  const start = await checkStart(loaded);
  assertStart(start);
  const events = new EventTarget();
  const changes = new RecentChanges();
  const audit = await openAudit(loaded, (event) => {
    reportAudit(logger, event);
    changes.audit(event);
    events.dispatchEvent(new Event('audit'));
  });
  // On exit, so that lost records are also reported when a fault ends the process.
  const onExit = () => reportLost(logger, audit);
  process.once('exit', onExit);
  const { onReady, log } = options;
  const { failures, linesDropped } = log;
  const parts = { file: options.config, loaded, audit, changes, logger, failures, linesDropped, onReady };
  await serve(options, parts, { warnings: [...warnings, ...start.warnings], events });
  return { recordsLost: audit.lost };
}

async function serve(
  { stop, signals }: ControlOptions,
  parts: Omit<ControlParts, 'reporting' | 'manager'>,
  { warnings, events }: { readonly warnings: readonly ConfigProblem[]; readonly events: EventTarget },
): Promise<void> {
  const { audit, logger, loaded } = parts;
  const reporting = new Reporting({ ...parts, format: loaded.config.audit.format });
  reporting.warnings(warnings);
  await using manager = new ServiceManager({
    onError: ({ message }) =>
      logger.error(
        { error: message },
        'the state of the service cannot be reported to systemd (systemd-notify failed); the gateway works, but systemd may stop it after its start timeout',
      ),
  });
  await using control = new Control({ ...parts, reporting, manager });
  events.addEventListener('audit', () => control.auditChanged());
  const reload = () => {
    audit.reopen();
    // Also when the configuration is refused: SIGHUP asks for current trust anchors, CRLs and OCSP answers too.
    void manager.reloading(control.reloads.request()).finally(() => control.refresh());
  };
  signals.addEventListener('reload', reload);
  try {
    await control.run(stop);
  } finally {
    signals.removeEventListener('reload', reload);
  }
}

function openAudit(
  { config, auditKey, locate }: LoadedConfig,
  onEvent: (event: AuditEvent) => void,
): Promise<AuditWriter> {
  const { destination, seal, rotate } = config.audit;
  const copy = seal?.copy ?? sealCopyFile(config.trust.cacheDir, destination);
  return openAuditWriter({
    destination,
    rotate,
    seal: seal && { privateKey: auditKey, interval: seal.interval, copy },
    onEvent,
  }).catch((cause: unknown) => {
    const found = cause instanceof Error ? cause.message : String(cause);
    const allowed = 'stdout, stderr or a file that can be written';
    throw new ConfigError([locate({ path: ['audit', 'destination'], found, allowed })]);
  });
}
