/** Loaded into a process before its own code (`--import`): kills it before its file operation number `EHI_TEST_KILL_BEFORE`. */
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

let left = Number(process.env.EHI_TEST_KILL_BEFORE);

for (const name of ['open', 'link', 'rename', 'rm'] as const) {
  const original = promises[name] as (...args: unknown[]) => Promise<unknown>;
  Object.assign(promises, {
    [name]: (...args: unknown[]) => {
      left -= 1;
      if (left === 0) process.kill(process.pid, 'SIGKILL');
      return original(...args);
    },
  });
}
syncBuiltinESMExports();
