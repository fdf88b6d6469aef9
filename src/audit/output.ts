/** The audit destination: stdout, stderr, or a file that is opened again when its path names another file. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { GatewayError } from '../errors.ts';
import { type AuditFile, openAuditFile } from './audit-file.ts';

export interface Output {
  readonly descriptor: number;
  /** false for stdout and stderr: if their pipe has lost its reader, no retry can succeed. A path may work again. */
  readonly isPath: boolean;
  /** Bytes of the file; null: it is no regular file. */
  readonly size: number | null;
  /** As `follow` found it: the path names another file, or none. */
  readonly isMoved: boolean;
  /** To be called after each write. */
  wrote(bytes: number): void;
  /**
   * Opens the path again if it no longer names the open file.
   *
   * @throws the error of node:fs if there is no file to write to.
   */
  follow(): Promise<Following>;
  /** Renames the file to `.1`, and older ones to the next number, and opens a new one. Resolves with the new path of the file. */
  rotate(keep: number): Promise<string>;
  /** Does not wait for a write in progress, which may hang in the kernel. */
  close(): void;
}

export interface Following {
  /**
   * `reopened`: the next lines go to a new file. An error: the path names another file that cannot be opened; lines still
   * go to the open file, which has been moved.
   */
  readonly place: 'unchanged' | 'reopened' | Error;
  /** Something else has shortened the file that was open. */
  readonly isTruncated: boolean;
}

export function openStandard(descriptor: 1 | 2): Output {
  // Reading the property sets O_NONBLOCK on a pipe or a socket. A blocking write would hold a thread of libuv's pool,
  // and `process.exit` waits for those threads.
  void (descriptor === 1 ? process.stdout : process.stderr);
  return {
    descriptor,
    isPath: false,
    size: null,
    isMoved: false,
    wrote: () => {},
    follow: async () => ({ place: 'unchanged', isTruncated: false }),
    rotate: () => Promise.reject(new Error('only a file can be rotated')),
    close: () => {},
  };
}

/** @throws GatewayError `AUDIT_DESTINATION` if the file cannot be opened; its folder must exist. */
export async function openPath(path: string): Promise<AuditFile> {
  try {
    await endHalfLine(path);
    return await openAuditFile(path);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? `${cause.code}` : `${cause}`;
    const known: Record<string, string> = {
      ENOENT: 'its folder does not exist',
      ENXIO: 'it is a pipe that has no reader (ENXIO)',
    };
    const message = `the audit file ${path} cannot be opened: ${known[code] ?? code}`;
    throw new GatewayError({ code: 'AUDIT_DESTINATION', message, cause });
  }
}

/** Ends a partial last line, left by a killed process or a full disk, so that the next record starts on its own line. */
async function endHalfLine(path: string): Promise<void> {
  try {
    await using file = await open(path, constants.O_RDWR | constants.O_APPEND | constants.O_NONBLOCK);
    const found = await file.stat();
    if (!found.isFile() || found.size === 0) return;
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, found.size - 1);
    if (buffer[0] !== 0x0a) await file.write('\n');
  } catch {
    // The file does not exist or cannot be read: opening it for records reports what matters.
  }
}
