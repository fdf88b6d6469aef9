/**
 * Runs the tests on NODE_UNDER_TEST, or on the Node that npm scripts use; everything after `--` goes to vitest.
 *
 * The processes that the tests start share a bundle of the program and a compile cache: without them each spends most of
 * its start on reading, stripping types and compiling. `EHI_TEST_PROGRAM=src/main.ts` starts the sources instead.
 */
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleProgram } from './bundle.ts';

const node = process.env.NODE_UNDER_TEST ?? process.execPath;
const inRoot = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const given = process.env.EHI_TEST_PROGRAM;
const program =
  given === undefined ? await bundleProgram(inRoot('node_modules/.cache/bundle')) : resolve(given);
const { status } = spawnSync(
  node,
  [inRoot('node_modules/vitest/vitest.mjs'), 'run', ...process.argv.slice(2)],
  {
    stdio: 'inherit',
    env: {
      NODE_COMPILE_CACHE: inRoot('node_modules/.cache/compile'),
      ...process.env,
      EHI_TEST_PROGRAM: program,
    },
  },
);
process.exitCode = status ?? 1;
