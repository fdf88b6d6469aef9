/** Logs what happens to the audit destination itself, which the audit cannot record. */

import type { AuditWriter } from '../audit/writer.ts';
import type { AuditEvent, Records } from '../audit/writer-event.ts';
import type { Logger } from '../telemetry/logger.ts';

const failureMessages: Readonly<Record<Records, string>> = {
  kept: 'audit records cannot be written; up to 64 MiB are kept in memory and retried until the destination accepts them',
  lost: 'audit records cannot be written: the reader of the pipe has ended, so records are lost from now on; restart the gateway',
  elsewhere:
    'the audit file was moved and the new one cannot be opened; records are still written to the moved file',
};

/** Logs an event of the audit destination. */
export function reportAudit(logger: Logger, event: AuditEvent): void {
  switch (event.type) {
    case 'failing':
      return logger.error({ error: event.error.message }, failureMessages[event.records]);
    case 'full':
      return logger.error(
        '64 MiB of audit records wait to be written; further records are lost until the destination accepts them',
      );
    case 'recovered': {
      const { kept, lost, milliseconds } = event;
      return logger.warn(
        { kept, lost, seconds: Math.round(milliseconds / 1000) },
        'audit records are written again',
      );
    }
    case 'reopened':
      return logger.info('the audit file was moved or removed; its path was opened again');
    case 'truncated':
      return logger.warn(
        'the audit file was shortened by another program, such as copytruncate of logrotate; records between the copy and the truncation may be missing. Let the gateway rotate the file (audit.rotate), or let the program rename it',
      );
    case 'rotated':
      return logger.info({ to: event.to }, 'the audit file has reached audit.rotate.size and was renamed');
    case 'rotation_failed':
      return logger.error(
        { error: event.error.message },
        'the audit file cannot be rotated, so it grows beyond audit.rotate.size; give the gateway the right to write to its folder. It tries again every 10 s',
      );
    case 'chain_started':
      return logger.info({ chain: event.chain }, 'a new chain of seals begins in the audit');
    case 'chain_resumed':
      return reportResumed(logger, event);
    case 'chain_unreadable':
      return logger.error(
        { error: event.error.message },
        'the last seal of the audit files cannot be read, so the chain of seals goes on behind the copy of the last one, or a new chain begins; audit verify shows where the earlier chain ends',
      );
    case 'seal_refused':
      return logger.error(
        { cause: event.cause },
        'the last seal in the audit files is not one of this gateway (cause), so a new chain of seals begins; if audit.seal.key was not changed, and the copy of the last seal could be written, find out who wrote to the files and run audit verify',
      );
    case 'seals_missing':
      return reportMissing(logger, event);
    case 'seal_copy_failed':
      return logger.warn(
        { error: event.error.message },
        'the copy of the last seal cannot be read or written, so a removal of seals before the next start may not be noticed; give the gateway the right to write to audit.seal.copy, by default in trust.cacheDir',
      );
    case 'seal_failed':
      return logger.error(
        { error: event.error.message },
        'a seal of the audit cannot be made; records are written without seals until the gateway is restarted',
      );
    default:
      return event satisfies never;
  }
}

function reportMissing(
  logger: Logger,
  { chain, seq, time }: Extract<AuditEvent, { type: 'seals_missing' }>,
): void {
  logger.error(
    { chain, seq, time },
    'the audit files do not have the last seal that this gateway wrote (chain, seq, time): they were cut back, replaced or moved while it was stopped. If they were not moved on purpose, keep the files, run audit verify and find out who can write to them',
  );
}

function reportResumed(
  logger: Logger,
  { chain, unsealed }: Extract<AuditEvent, { type: 'chain_resumed' }>,
): void {
  if (unsealed === 0) return logger.info({ chain }, 'the chain of seals in the audit goes on');
  logger.warn(
    { chain, unsealed },
    'the chain of seals in the audit goes on; the process before ended without its last seal, and the next seal covers the lines that it left (unsealed)',
  );
}

/** Under `audit.onFailure: refuse`: messages are refused with 503, or accepted again. */
export function reportRefusal(logger: Logger, refuses: boolean): void {
  if (refuses)
    logger.error(
      'new messages are refused with 503 (audit_unavailable) until audit records can be written again, because audit.onFailure is refuse',
    );
  else logger.warn('new messages are accepted again');
}

/** Called last: reports the records lost since the start, and those still unwritten at the end. */
export function reportLost(logger: Logger, { lost, queuedBytes }: AuditWriter): void {
  if (lost > 0)
    logger.error({ lost }, 'audit records were lost since the start; they were not written anywhere');
  if (queuedBytes > 0) logger.error({ bytes: queuedBytes }, 'the process ends with unwritten audit records');
}
