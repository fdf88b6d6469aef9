/**
 * Runs the tests on NODE_UNDER_TEST, or on the Node that npm scripts use; everything after `--` goes to vitest.
 *
 * The processes that the tests start share a compile cache: without it each spends most of its start on stripping types
 * and compiling.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const node = process.env.NODE_UNDER_TEST ?? process.execPath;
const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url));
const compileCache = fileURLToPath(new URL('../node_modules/.cache/compile', import.meta.url));
const { status } = spawnSync(node, [vitest, 'run', ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { NODE_COMPILE_CACHE: compileCache, ...process.env },
});
process.exitCode = status ?? 1;
