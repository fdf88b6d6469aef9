import { availableParallelism, totalmem } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Each file runs a gateway, a host and clients of its own: a core, and less than a GiB. */
const maxWorkers = Math.max(1, Math.min(availableParallelism(), Math.floor(totalmem() / 2 ** 30)));

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // `npm run test:chart`, `npm run test:cluster` and `npm run test:page`: they need more than Node.
    exclude: ['test/helm/**', 'test/cluster/**', 'test/page/**'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers,
  },
});
