/** Where audit lines go: a descriptor of the process, or a file that is opened anew when its path names another one. */
import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { GatewayError } from '../errors.ts';

export interface Output {
  readonly descriptor: number;
  /** The reader of a pipe that the process was started with does not come back; a file's path may work again. */
  readonly isPath: boolean;
  /**
   * Sees to it that the path still names what is written to.
   *
   * @returns `reopened`: what was written before is in another file. `unchanged`: nothing to do. An error: the path
   *   names another file that cannot be opened, and the former one, which still has a name, takes the lines.
   * @throws what node:fs throws where there is no file to write to.
   */
  follow(): Promise<'unchanged' | 'reopened' | Error>;
  /** Waits for nothing: a write that hangs in the kernel would have it wait for ever. */
  close(): void;
}

export function openStandard(descriptor: 1 | 2): Output {
  // Asking for the stream sets O_NONBLOCK on a pipe or a socket. A write that blocks would hold a thread of libuv's
  // pool, and `process.exit` waits for those.
  void (descriptor === 1 ? process.stdout : process.stderr);
  return { descriptor, isPath: false, follow: async () => 'unchanged', close: () => {} };
}

/** O_APPEND: where a rotation truncates the file, lines go on at its new end. O_NONBLOCK: of use for named pipes alone. */
const { O_APPEND, O_CREAT, O_WRONLY, O_NONBLOCK } = constants;
const openFile = (path: string) => open(path, O_APPEND | O_CREAT | O_WRONLY | O_NONBLOCK, 0o640);

/** @throws GatewayError `AUDIT_DESTINATION` where the file cannot be opened; its folder must exist. */
export async function openPath(path: string): Promise<Output> {
  try {
    await endHalfLine(path);
    return new AuditFile(path, await openFile(path));
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

/** A process that was killed, or a disk that was full, may have left half a record: the next one gets its own line. */
async function endHalfLine(path: string): Promise<void> {
  try {
    await using file = await open(path, constants.O_RDWR | O_APPEND | O_NONBLOCK);
    const found = await file.stat();
    if (!found.isFile() || found.size === 0) return;
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, found.size - 1);
    if (buffer[0] !== 0x0a) await file.write('\n');
  } catch {
    // Not there yet, or not to be read: opening it for records says what matters.
  }
}

class AuditFile implements Output {
  readonly isPath = true;
  readonly #path: string;
  #file: FileHandle;

  constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  get descriptor(): number {
    return this.#file.fd;
  }

  async follow(): Promise<'unchanged' | 'reopened' | Error> {
    const former = await this.#file.stat({ bigint: true });
    try {
      const named = await stat(this.#path, { bigint: true }).catch(() => null);
      if (named?.ino === former.ino && named.dev === former.dev) return 'unchanged';
      const next = await openFile(this.#path);
      await this.#file.close().catch(() => {});
      this.#file = next;
      return 'reopened';
    } catch (cause) {
      if (former.nlink > 0n && cause instanceof Error) return cause;
      throw cause;
    }
  }

  close(): void {
    void this.#file.close().catch(() => {});
  }
}
