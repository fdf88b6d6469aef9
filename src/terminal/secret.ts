/** Reads a passphrase from a file or from the terminal: never from an argument, which every user of a machine can read. */
import { UsageError } from '../errors.ts';
import { readLimited } from './limited-input.ts';
import { printable } from './printable.ts';

/** Bytes; a longer file is no passphrase. */
const maxBytes = 4096;

export interface SecretOptions {
  /** What the prompt and errors call it: `password of client.p12`. */
  readonly name: string;
  /** Its first line is the secret. */
  readonly file?: string;
  /** The option that names a file, for errors: `--password-file`. */
  readonly option: string;
  /** Ask twice and compare, for a new secret. */
  readonly confirm?: boolean;
}

/** Throws UsageError for an unreadable file or an empty first line, and where there is neither a file nor a terminal. */
export async function readSecret({ name, file, option, confirm = false }: SecretOptions): Promise<string> {
  if (file !== undefined) return readFirstLine(file, option);
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new UsageError(`the ${name} is needed: give ${option} FILE, or run the command on a terminal`);
  const secret = await prompt(`${name}: `);
  if (secret === '') throw new UsageError(`the ${name} is empty`);
  if (confirm && (await prompt(`${name}, again: `)) !== secret)
    throw new UsageError(`the two entries for the ${name} differ`);
  return secret;
}

async function readFirstLine(file: string, option: string): Promise<string> {
  const where = `${option} ${printable(file)}`;
  let content: Buffer | null;
  try {
    content = await readLimited(file, maxBytes);
  } catch (cause) {
    throw new UsageError(
      `${where}: cannot be read (${(cause as NodeJS.ErrnoException).code ?? 'unknown'})`,
      cause,
    );
  }
  if (content === null)
    throw new UsageError(`${where}: found more than ${maxBytes} bytes; allowed at most ${maxBytes}`);
  const [line = ''] = content.toString('utf8').split(/\r?\n/, 1);
  if (line === '') throw new UsageError(`${where}: the first line is empty; allowed the secret itself`);
  return line;
}

const keys = { enter: ['\r', '\n', '\u0004'], interrupt: '\u0003', erase: ['\u007f', '\b'] } as const;

/** Reads one line in raw mode, so that the terminal does not show it. Ctrl-C ends the process as the signal would. */
function prompt(text: string): Promise<string> {
  const { stdin, stderr } = process;
  stderr.write(text);
  return new Promise((resolve) => {
    let typed: string[] = [];
    const finish = () => {
      stdin.setRawMode(false).pause().off('data', onData);
      stderr.write('\n');
    };
    const onData = (chunk: string) => {
      for (const key of chunk) {
        if (key === keys.interrupt) {
          finish();
          process.kill(process.pid, 'SIGINT');
          return;
        }
        if (keys.enter.some((each) => each === key)) {
          finish();
          resolve(typed.join(''));
          return;
        }
        if (keys.erase.some((each) => each === key)) typed = typed.slice(0, -1);
        else typed.push(key);
      }
    };
    stdin.setRawMode(true).setEncoding('utf8').on('data', onData).resume();
  });
}
