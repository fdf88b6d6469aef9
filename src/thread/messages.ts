/** What control and relay threads say to each other. */
import type { ErrorCode } from '../errors.ts';
import type { ListenOptions } from '../handshake/listener.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import type { MeterDelta } from '../telemetry/meter.ts';
import type { LogLevel } from '../telemetry/recorder.ts';
import type { SpanReport } from '../tracing/batch.ts';

/** Given to a relay thread at its start. */
export interface RelayData {
  readonly snapshot: PolicySnapshot;
  readonly listen: ListenOptions;
  readonly refuseMessages: boolean;
}

export type ToRelay =
  | { readonly type: 'snapshot'; readonly snapshot: PolicySnapshot }
  /** The sources of this leaf have answered; the snapshot before this message holds what they said. */
  | { readonly type: 'contacted'; readonly anchor: string; readonly leaf: string }
  /** The audit lines of a report are written: their buffer, transferred back. */
  | { readonly type: 'written'; readonly buffer: ArrayBuffer }
  /** Audit records cannot be written: no new message is to be sent on, or it is again. */
  | { readonly type: 'refuse_messages'; readonly refuse: boolean }
  | { readonly type: 'drain' };

export type FromRelay =
  | { readonly type: 'listening'; readonly address: string; readonly port: number }
  | { readonly type: 'failed'; readonly code: ErrorCode; readonly message: string }
  /** Audit lines, transferred, and counts and spans since the last report. */
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
    }
  /** A leaf whose revocation nobody has asked about: DER. */
  | { readonly type: 'unseen'; readonly anchor: string; readonly leaf: Uint8Array }
  | { readonly type: 'drained' };
