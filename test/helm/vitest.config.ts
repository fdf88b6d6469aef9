/** The tests of the chart: `npm run test:chart` installs what they need. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/helm/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
  },
});
