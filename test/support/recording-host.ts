/** A host that can be killed without warning and comes back on the same port: what each of its lives had received. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from './folder.ts';

const program = fileURLToPath(new URL('./recording-process.ts', import.meta.url));

export interface RecordingHost extends AsyncDisposable {
  readonly port: number;
  /** Resolves when it listens. */
  up(): Promise<void>;
  /** SIGKILL, and at once a new life. */
  kill(): Promise<void>;
  /** The ids that each life received, in their order. */
  lives(): Promise<string[][]>;
}

export async function openRecordingHost(): Promise<RecordingHost> {
  const folder = await temporaryFolder();
  let life = 0;
  let port = 0;
  let child: ChildProcess;
  let up: Promise<void>;

  const start = async () => {
    child = fork(program, [`${port}`, join(folder.path, `${++life}`)], { execArgv: [] });
    const [listening] = await once(child, 'message');
    port = listening as number;
  };
  const end = async () => {
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  up = start();
  await up;

  return {
    port,
    up: () => up,
    kill: () => {
      up = end().then(start);
      return up;
    },
    lives: () =>
      Promise.all(
        Array.from({ length: life }, async (_, index) => {
          const text = await readFile(join(folder.path, `${index + 1}`), 'utf8').catch(() => '');
          return text.split('\n').filter((line) => line !== '');
        }),
      ),
    [Symbol.asyncDispose]: async () => {
      await up;
      await end();
      await folder[Symbol.asyncDispose]();
    },
  };
}
