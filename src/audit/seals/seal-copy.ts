/** The copy of the last seal, kept outside the folder of the audit: shows at a start whether seals were removed in between. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { replaceFile } from '../../fetch/replace-file.ts';
import type { AuditCounts } from '../../telemetry/audit-counts.ts';
import type { AuditEvent } from '../writer-event.ts';
import { type ReadSeal, readSeal } from './seal-reader.ts';

/** Between two writes, ms. */
const minIntervalMs = 1_000;

/** Where the copy is kept if the configuration names no file: `folder` may be shared by the gateways of several machines. */
export function sealCopyFile(folder: string, destination: string, host = hostname()): string {
  const id = createHash('sha256').update(`${host}\n${destination}`).digest('hex').slice(0, 16);
  return join(folder, 'audit', `last-seal-${id}.json`);
}

export interface SealCopyOptions {
  readonly file: string;
  /** Writes the audit file to disk: a seal that the disk could still lose must not be remembered. */
  readonly sync: () => Promise<void>;
  readonly counts: Pick<AuditCounts, 'sealCopyFailures'>;
  readonly onEvent: (event: AuditEvent) => void;
}

export class SealCopy {
  readonly #options: SealCopyOptions;
  /** The line of the last seal, while the file does not have it. */
  #waiting: Uint8Array | null = null;
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> | null = null;
  #hasFailed = false;

  constructor(options: SealCopyOptions) {
    this.#options = options;
  }

  /** null: there is none, or it cannot be read, which is reported. */
  async read(): Promise<ReadSeal | null> {
    try {
      return await readCopy(this.#options.file);
    } catch (cause) {
      this.#fail(cause as Error);
      return null;
    }
  }

  /** To be called when the seal is in the audit file; `line`: with its newline. */
  note(line: Uint8Array): void {
    this.#waiting = line;
    if (this.#timer === null) this.#write();
  }

  /** Resolves when the last seal is in the file, or cannot be written. */
  async finish(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#writing;
    this.#write();
    await this.#writing;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #write(): void {
    const line = this.#waiting;
    if (line === null || this.#writing !== null) return;
    this.#waiting = null;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#write();
    }, minIntervalMs).unref();
    this.#writing = this.#replace(line).finally(() => {
      this.#writing = null;
      // The interval ended while this was written.
      if (this.#timer === null) this.#write();
    });
  }

  /** Never rejects: without a copy the seals are as good as before, and the next seal is tried again. */
  async #replace(line: Uint8Array): Promise<void> {
    const { file, sync } = this.#options;
    try {
      await sync();
      await replaceFile(file, line);
      this.#hasFailed = false;
    } catch (cause) {
      this.#fail(cause as Error);
    }
  }

  #fail(error: Error): void {
    const { counts, onEvent } = this.#options;
    counts.sealCopyFailures++;
    if (!this.#hasFailed) onEvent({ type: 'seal_copy_failed', error });
    this.#hasFailed = true;
  }
}

/** null: there is none. Throws the errors of node:fs, and an error for a file that holds no seal. */
async function readCopy(file: string): Promise<ReadSeal | null> {
  const content = await readFile(file).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return null;
    throw cause;
  });
  if (content === null) return null;
  const seal = content.at(-1) === 0x0a ? readSeal(content.subarray(0, -1)) : null;
  if (seal === null) throw new Error(`${file} is not the line of a seal`);
  return seal;
}
