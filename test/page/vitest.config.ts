/** The tests of the admin page in Chromium: `npm run test:page`. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/page/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Each file runs a browser, a gateway and its clients, and waits for most of its time.
    maxWorkers: 3,
  },
});
