/**
 * Preloaded into a gateway under test (`--import`): SIGUSR2 ends its oldest relay thread at once, as a crash would.
 * The gateway's own code is as it is; from outside there is no way to reach one of its threads.
 */
import { isMainThread, type Worker } from 'node:worker_threads';

if (isMainThread) {
  const workers: Worker[] = [];
  process.on('worker', (worker: Worker) => workers.push(worker));
  process.on('SIGUSR2', () => void workers.shift()?.terminate());
}
