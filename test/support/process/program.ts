/** The program that tests start: what test/run.ts made of the sources (test/bundle.ts), or the sources themselves. */
import { fileURLToPath } from 'node:url';

export const sources = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));

export const program = process.env.EHI_TEST_PROGRAM ?? sources;
