/**
 * Loaded into a process and its threads before their own code (`--import`): sets the wall clock ahead by the
 * milliseconds in the file of `EHI_TEST_CLOCK`, which it reads repeatedly. Timers are not affected.
 */
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

const LOOK_MS = 10;

const real = Date.now;
let ahead = 0;
let lookedAt = Number.NEGATIVE_INFINITY;

Date.now = () => {
  const now = performance.now();
  if (now - lookedAt >= LOOK_MS) {
    lookedAt = now;
    ahead = Number(readFileSync(process.env.EHI_TEST_CLOCK ?? '', 'utf8'));
  }
  return real() + ahead;
};
