/**
 * Preloaded into a gateway under test (`--import`): SIGUSR2 ends its oldest relay thread at once, as a crash would.
 * The gateway's code is unchanged; a thread cannot be ended from outside.
 */
import { isMainThread, type Worker } from 'node:worker_threads';

if (isMainThread) {
  const workers: Worker[] = [];
  process.on('worker', (worker: Worker) => workers.push(worker));
  process.on('SIGUSR2', () => void workers.shift()?.terminate());
}
