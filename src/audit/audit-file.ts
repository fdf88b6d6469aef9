/** The open audit file: follows its path, notices when it was shortened, and is rotated by its size. */
import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import type { Following, Output } from './destination.ts';
import { renameForRotation } from './rotation.ts';

/** O_APPEND: after a rotation that truncates the file, lines go to its new end. O_NONBLOCK: for named pipes. */
const { O_APPEND, O_CREAT, O_WRONLY, O_NONBLOCK } = constants;
const openForLines = (path: string) => open(path, O_APPEND | O_CREAT | O_WRONLY | O_NONBLOCK, 0o640);

/** `endsInPart`: as in `Output`. Throws the errors of node:fs. */
export async function openAuditFile(path: string, endsInPart: boolean): Promise<AuditFile> {
  const file = await openForLines(path);
  return new AuditFile(path, { file, size: await sizeOf(file), endsInPart });
}

/** null: a pipe or a device. */
async function sizeOf(file: FileHandle): Promise<number | null> {
  const found = await file.stat();
  return found.isFile() ? found.size : null;
}

export class AuditFile implements Output {
  readonly isPath = true;
  readonly path: string;
  readonly endsInPart: boolean;
  isMoved = false;
  #file: FileHandle;
  /** As last seen, and what was written since. null: a pipe or a device. */
  #size: number | null;
  #isSynced = false;

  constructor(
    path: string,
    options: { readonly file: FileHandle; readonly size: number | null; readonly endsInPart: boolean },
  ) {
    this.path = path;
    this.#file = options.file;
    this.#size = options.size;
    this.endsInPart = options.endsInPart;
  }

  get descriptor(): number {
    return this.#file.fd;
  }

  get size(): number | null {
    return this.#size;
  }

  wrote(bytes: number): void {
    if (this.#size !== null) this.#size += bytes;
  }

  async follow(): Promise<Following> {
    const [former, named] = await Promise.all([
      this.#file.stat({ bigint: true }),
      stat(this.path, { bigint: true }).catch(() => null),
    ]);
    const isTruncated = this.#noteSize(former.isFile() ? Number(former.size) : null);
    try {
      this.isMoved = named?.ino !== former.ino || named.dev !== former.dev;
      if (!this.isMoved) return { place: 'unchanged', isTruncated };
      await this.#openAgain();
      return { place: 'reopened', isTruncated };
    } catch (cause) {
      if (former.nlink > 0n && cause instanceof Error) return { place: cause, isTruncated };
      throw cause;
    }
  }

  async rotate(keep: number): Promise<string> {
    const to = await renameForRotation(this.path, keep);
    await this.#openAgain();
    return to;
  }

  async sync(): Promise<void> {
    this.#isSynced = true;
    // A pipe or a device has no bytes on a disk.
    if (this.#size !== null) await this.#file.datasync();
  }

  close(): void {
    void this.#file.close().catch(() => {});
  }

  /** Whether the file has fewer bytes than were seen and written. More is no fault: something else may append, too. */
  #noteSize(found: number | null): boolean {
    const isTruncated = found !== null && this.#size !== null && found < this.#size;
    this.#size = found;
    return isTruncated;
  }

  async #openAgain(): Promise<void> {
    const next = await openForLines(this.path);
    // `sync` of the new file must not leave lines of this one in memory only.
    if (this.#isSynced) await this.sync().catch(() => {});
    await this.#file.close().catch(() => {});
    this.#file = next;
    this.isMoved = false;
    this.#size = await sizeOf(next);
  }
}
