/** The messages between the control thread and the relay threads. */
import type { AuditFormat } from '../audit/ecs-table.ts';
import type { ErrorCode } from '../errors.ts';
import type { ListenOptions } from '../handshake/listener.ts';
import type { Answer, Question } from '../policy/question.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import type { MeterDelta } from '../telemetry/meter.ts';
import type { LogLevel } from '../telemetry/recorder.ts';
import type { SpanReport } from '../tracing/span-batch.ts';

/** The `workerData` of a relay thread. */
export interface RelayData {
  readonly snapshot: PolicySnapshot;
  readonly listen: ListenOptions;
  readonly refuseMessages: boolean;
  /** `audit.format`; it does not change until the process ends. */
  readonly auditFormat: AuditFormat;
}

export type ToRelay =
  | { readonly type: 'snapshot'; readonly snapshot: PolicySnapshot }
  /** The revocation sources of this leaf have answered; the last snapshot has their results. `leaf`: hex SHA-256. */
  | { readonly type: 'first_contact_done'; readonly anchor: string; readonly leaf: string }
  | { readonly type: 'answer'; readonly id: number; readonly answer: Answer }
  /** The audit lines of a report were written: their buffer is transferred back for reuse. */
  | { readonly type: 'audit_written'; readonly buffer: ArrayBuffer }
  /** Whether new messages are refused, because audit records cannot be written. */
  | { readonly type: 'refuse_messages'; readonly refuse: boolean }
  | { readonly type: 'drain' };

export type FromRelay =
  | { readonly type: 'listening'; readonly address: string; readonly port: number }
  | { readonly type: 'failed'; readonly code: ErrorCode; readonly message: string }
  /** Audit lines (transferred), metrics and spans since the last report. */
  | {
      readonly type: 'report';
      readonly audit: Uint8Array<ArrayBuffer> | null;
      readonly meter: MeterDelta | null;
      readonly spans: SpanReport | null;
    }
  | {
      readonly type: 'log';
      readonly level: LogLevel;
      readonly message: string;
      readonly fields: Readonly<Record<string, unknown>>;
      /** One of possibly many: repeated lines are collapsed. */
      readonly isFailure: boolean;
    }
  /** A leaf that was not seen before, whose revocation status is requested. `leaf`: DER. */
  | { readonly type: 'unseen'; readonly anchor: string; readonly leaf: Uint8Array }
  /** `id`: that of the answer. */
  | { readonly type: 'question'; readonly id: number; readonly question: Question }
  | { readonly type: 'drained' };
