/** Writes audit lines in order, without blocking; seals them and rotates the file as configured. */
import { type AuditCounts, noAuditCounts } from '../telemetry/audit-counts.ts';
import type { Output } from './destination.ts';
import { openPath, openStandard } from './open-destination.ts';
import { QueuedWriter } from './queued-writer.ts';
import type { RotateSettings } from './rotation.ts';
import { openSealing, type SealSettings } from './seals/open-sealing.ts';
import type { AuditEvent } from './writer-event.ts';

export interface AuditWriterOptions {
  /** `stdout`, `stderr` or the path of a file, which is appended to, or created with mode 0640. */
  readonly destination: string;
  readonly onEvent: (event: AuditEvent) => void;
  /** Absent: no seals. */
  readonly seal?: SealSettings | undefined;
  /** Absent: the writer does not rotate its file. Without effect where the destination is no regular file. */
  readonly rotate?: RotateSettings | undefined;
  /** How long the destination may accept no byte before it counts as failing, ms; default 10 s. */
  readonly stallMs?: number;
}

export interface AuditWriter {
  /**
   * Queues whole lines, each with its newline. Bytes are not copied: do not change them before `done` is called. Never
   * waits: beyond 64 MiB of queue the lines are lost and counted.
   */
  write(lines: string | Uint8Array, done?: () => void): void;
  /** Settles when everything queued is written or lost. */
  flush(): Promise<void>;
  /** Flushes for at most five seconds, then counts the rest as lost. */
  close(): Promise<void>;
  /** Opens the file again if its path names another one. Each write does this too. */
  reopen(): void;
  /** Records lost since the start. */
  readonly lost: number;
  readonly counts: Readonly<AuditCounts>;
  /** Bytes that wait to be written. */
  readonly queuedBytes: number;
  /** Milliseconds since the epoch; null: records are written to the destination. */
  readonly failingSince: number | null;
  /** Whether records are written, to the destination or to the moved file. */
  readonly isWriting: boolean;
}

/** @throws GatewayError `AUDIT_DESTINATION` if the file cannot be opened; its folder must exist. */
export async function openAuditWriter(options: AuditWriterOptions): Promise<AuditWriter> {
  const { destination, seal, onEvent } = options;
  const output = await openOutput(destination);
  const path = output.size === null ? null : destination;
  const counts = noAuditCounts();
  const sync = () => output.sync();
  const opening = { path, isPath: output.isPath, counts, sync, onEvent };
  const sealing = seal === undefined ? null : await openSealing(seal, opening);
  return new QueuedWriter({ output, sealing, counts, ...options });
}

async function openOutput(destination: string): Promise<Output> {
  if (destination === 'stdout') return openStandard(1);
  if (destination === 'stderr') return openStandard(2);
  return await openPath(destination);
}
