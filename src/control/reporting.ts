/** Tells the operator, in the log, and the auditor, in the audit, what the control thread has done. */

import { configLine, revocationLine, threadLine, trustLine } from '../audit/event-record.ts';
import type { AuditEvent, Records } from '../audit/failure.ts';
import type { AuditWriter } from '../audit/writer.ts';
import type { ConfigChange } from '../config/changes.ts';
import { type ConfigProblem, describeProblem } from '../errors.ts';
import type { RevocationAction, RevocationEvent } from '../revocation/event.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { DropReason } from '../tracing/exporter.ts';
import type { TrustAction, TrustEvent } from '../trust/state.ts';

const alarmingTrust: readonly TrustAction[] = [
  'refused',
  'fetch_failed',
  'root_changed_refused',
  'approval_refused',
  'cache_failed',
  'passed_over',
];
const alarmingRevocation: readonly RevocationAction[] = [
  'crl_refused',
  'crl_fetch_failed',
  'crl_stale',
  'crl_expired',
  'ocsp_refused',
  'ocsp_fetch_failed',
  'address_skipped',
  'too_many_addresses',
  'cache_failed',
  'not_checked',
];

const failing: Readonly<Record<Records, string>> = {
  kept: 'audit records cannot be written: up to 64 MiB of them are kept in memory, and tried again until they can be',
  lost: 'audit records cannot be written: the reader of the destination is gone for good, so records are lost from now on; restart the gateway',
  elsewhere:
    'the audit file was moved, and the new one cannot be opened: records go on into the file that was open',
};

/** What an operator has to know of the audit's destination: nothing of it can be in the audit. */
export function reportAudit(logger: Logger, event: AuditEvent): void {
  switch (event.type) {
    case 'failing':
      return logger.error({ error: event.error.message }, failing[event.records]);
    case 'full':
      return logger.error('64 MiB of audit records wait to be written: further ones are lost');
    case 'recovered': {
      const { kept, givenUp: lost, milliseconds } = event;
      return logger.warn(
        { kept, lost, seconds: Math.round(milliseconds / 1000) },
        'audit records are written again',
      );
    }
    case 'reopened':
      return logger.info('the audit file was moved or removed, and is opened anew by its path');
    default:
      return event satisfies never;
  }
}

/** Under `audit.onFailure: refuse`: callers get 503 for want of audit records, or no longer. */
export function reportRefusal(logger: Logger, refuses: boolean): void {
  if (refuses)
    logger.error(
      'new messages are refused with 503 (audit_unavailable) until audit records are written again: audit.onFailure is refuse',
    );
  else logger.warn('new messages are taken again');
}

/** The last line of a process that has lost records, or ends before it could write all of them. */
export function reportLost(logger: Logger, { lost, queuedBytes }: AuditWriter): void {
  if (lost > 0) logger.error({ lost }, 'audit records were lost since the start: they were written nowhere');
  if (queuedBytes > 0)
    logger.error({ bytes: queuedBytes }, 'the process ends before these audit records are written');
}

export class Reporting {
  readonly #audit: AuditWriter;
  readonly #logger: Logger;

  constructor({ audit, logger }: { readonly audit: AuditWriter; readonly logger: Logger }) {
    this.#audit = audit;
    this.#logger = logger;
  }

  /** `error`: null where it said nothing. */
  threadDied(thread: number, error: Error | null): void {
    const detail = error?.message ?? null;
    this.#logger.error({ thread, error: detail }, 'a relay thread died and is replaced');
    this.#audit.write(threadLine({ time: Date.now(), thread, detail }));
  }

  trust({ action, anchor, sha256, url, detail, added, removed }: TrustEvent): void {
    // With colons: the log masks long runs of digits, and a hash may hold one.
    const root = sha256?.replaceAll(/..(?!$)/g, '$&:');
    this.#logger[alarmingTrust.includes(action) ? 'warn' : 'info']({ anchor, root, url, detail }, action);
    this.#audit.write(
      trustLine({
        time: Date.now(),
        event: action,
        anchor,
        rootSha256: sha256 ?? null,
        url: url ?? null,
        detail: detail ?? null,
        added: added ?? null,
        removed: removed ?? null,
      }),
    );
  }

  revocation({ action, anchor, address, certificate, detail }: RevocationEvent): void {
    const level = alarmingRevocation.includes(action) ? 'warn' : 'info';
    this.#logger[action === 'crl_restarted' ? 'error' : level](
      { anchor, address, certificate, detail },
      action,
    );
    this.#audit.write(
      revocationLine({
        time: Date.now(),
        event: action,
        anchor,
        address: address ?? null,
        certificate: certificate ?? null,
        detail: detail ?? null,
      }),
    );
  }

  /** Spans begin not to be taken, for this status or code; null: they are taken again. */
  tracing(trouble: string | null): void {
    if (trouble === null) this.#logger.info('the collector takes spans again');
    else this.#logger.warn({ cause: trouble }, 'the collector does not take spans');
  }

  /** The metrics end with the gateway: what was not sent until then is told here. */
  spansDropped(spans: number, reason: DropReason): void {
    if (reason === 'ended') this.#logger.warn({ spans }, 'spans are dropped that were not exported in time');
  }

  /** The clock was set, or the machine slept; `ms`: forward if positive. */
  clockJumped(ms: number): void {
    this.#logger.warn(
      { ms: Math.round(ms) },
      'the clock was set, or the machine slept: what has ended is fetched now, and every connection judged anew',
    );
  }

  warnings(warnings: readonly ConfigProblem[]): void {
    for (const warning of warnings) this.#logger.warn(describeProblem(warning));
  }

  reloaded({ changed, fixed }: ConfigChange, generation: number): void {
    for (const path of fixed) this.#logger.warn({ path }, 'cannot change at run time: stays until a restart');
    this.#logger.info({ changed, generation }, 'the configuration was reloaded');
    this.#audit.write(
      configLine({ time: Date.now(), event: 'reloaded', generation, changed, fixed, problems: 0 }),
    );
  }

  refused(problems: readonly ConfigProblem[]): void {
    for (const problem of problems) this.#logger.error(describeProblem(problem));
    this.#logger.error(
      { problems: problems.length },
      'the changed configuration is refused, the last one stays',
    );
    this.#audit.write(
      configLine({
        time: Date.now(),
        event: 'refused',
        generation: null,
        changed: [],
        fixed: [],
        problems: problems.length,
      }),
    );
  }
}
