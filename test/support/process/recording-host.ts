/** A host of two processes on one port, each of which can be killed without warning and is restarted. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../folder.ts';
import type { Random } from '../random.ts';
import { recordingProcess } from './program.ts';

export interface RecordingHost extends AsyncDisposable {
  readonly port: number;
  /** Resolves when at least one process listens. */
  up(): Promise<void>;
  /**
   * Sends SIGKILL to one of them, or to both, and starts a new process for each; resolves when these listen. If one
   * stays, a message that is sent again would reach it.
   */
  kill(options: { both: boolean }): Promise<void>;
  /** Sends SIGSTOP to both: connections are accepted by the kernel and nothing is read until `thaw`. */
  freeze(): void;
  thaw(): void;
  /** The ids that each process received, in order. */
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
    const child = fork(
      recordingProcess,
      [`${port}`, join(folder.path, `${++life}`), `${random.below(2 ** 32)}`],
      {
        execArgv: [],
      },
    );
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
