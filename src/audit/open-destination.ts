/** Opens the audit destination: stdout, stderr, or a file. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { GatewayError } from '../errors.ts';
import { type AuditFile, openAuditFile } from './audit-file.ts';
import type { Output } from './destination.ts';
import { newline } from './lines.ts';

export function openStandard(descriptor: 1 | 2): Output {
  // Reading the property sets O_NONBLOCK on a pipe or a socket. A blocking write would hold a thread of libuv's pool,
  // and `process.exit` waits for those threads.
  void (descriptor === 1 ? process.stdout : process.stderr);
  return {
    descriptor,
    isPath: false,
    size: null,
    isMoved: false,
    endsInPart: false,
    wrote: () => {},
    follow: async () => ({ place: 'unchanged', isTruncated: false }),
    rotate: () => Promise.reject(new Error('only a file can be rotated')),
    sync: async () => {},
    close: () => {},
  };
}

/** @throws GatewayError `AUDIT_DESTINATION` if the file cannot be opened; its folder must exist. */
export async function openPath(path: string): Promise<AuditFile> {
  try {
    return await openAuditFile(path, await endsInPart(path));
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

/** Whether a killed process or a full disk left a part of a line at the end of the file. */
async function endsInPart(path: string): Promise<boolean> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const found = await file.stat();
    if (!found.isFile() || found.size === 0) return false;
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, found.size - 1);
    return buffer[0] !== newline;
  } catch {
    // The file does not exist or cannot be read: opening it for records reports what matters.
    return false;
  }
}
