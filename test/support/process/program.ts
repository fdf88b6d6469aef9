/** The programs that tests start: what test/run.ts made of the sources (test/bundle.ts), or the sources themselves. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const sources = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));

export const program = process.env.EHI_TEST_PROGRAM ?? sources;

const bundled = join(dirname(program), 'recording-process.js');

/** The host of recording-process.ts. */
export const recordingProcess = existsSync(bundled)
  ? bundled
  : fileURLToPath(new URL('./recording-process.ts', import.meta.url));
