/** A host of two processes on one port, each of which can be killed without warning and comes back. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '../folder.ts';
import type { Random } from '../random.ts';

const program = fileURLToPath(new URL('./recording-process.ts', import.meta.url));

export interface RecordingHost extends AsyncDisposable {
  readonly port: number;
  /** Resolves when at least one process listens. */
  up(): Promise<void>;
  /**
   * SIGKILL to one of them, or to both, and a new process for each; resolves when these listen. Where one stays, a
   * message that were sent again would find it.
   */
  kill(options: { both: boolean }): Promise<void>;
  /** SIGSTOP to both, so that connections are made and nothing is read, until `thaw`. */
  freeze(): void;
  thaw(): void;
  /** The ids that each process received, in their order. */
  lives(): Promise<string[][]>;
}

/** `random` seeds each process: how long it takes to answer, and which answers it writes in two parts. */
export async function openRecordingHost(random: Random): Promise<RecordingHost> {
  const folder = await temporaryFolder();
  const running: ChildProcess[] = [];
  let life = 0;
  let port = 0;
  let up = Promise.resolve();

  const start = async () => {
    const child = fork(program, [`${port}`, join(folder.path, `${++life}`), `${random.below(2 ** 32)}`], {
      execArgv: [],
    });
    const [listening] = await once(child, 'message');
    port = listening as number;
    running.push(child);
  };
  const end = async () => {
    const child = running.shift() as ChildProcess;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  await start();
  await start();

  return {
    port,
    up: () => up,
    kill: async ({ both }) => {
      if (!both) return end().then(start);
      up = Promise.all([end(), end()]).then(start);
      await up;
      await start();
    },
    freeze: () => {
      for (const child of running) child.kill('SIGSTOP');
    },
    thaw: () => {
      for (const child of running) child.kill('SIGCONT');
    },
    lives: () =>
      Promise.all(
        Array.from({ length: life }, async (_, index) => {
          const text = await readFile(join(folder.path, `${index + 1}`), 'utf8').catch(() => '');
          return text.split('\n').filter((line) => line !== '');
        }),
      ),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...running].map(end));
      await folder[Symbol.asyncDispose]();
    },
  };
}
