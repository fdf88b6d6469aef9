import { availableParallelism, totalmem } from 'node:os';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/sequence.ts';

/**
 * Each file runs a gateway, a host and clients of its own: less than a GiB, and most of a core. A third of the time it waits,
 * for a process to start or a limit to pass, and another file has the core.
 */
const maxWorkers = Math.max(
  1,
  Math.min(Math.ceil(availableParallelism() * 1.5), Math.floor(totalmem() / 2 ** 30)),
);

/** They change what a whole process has: its umask, its timers, its file descriptors. */
const ownProcess = [
  'test/audit/writer.test.ts',
  'test/cli/closed-stdout.test.ts',
  'test/gateway/audit-seals.test.ts',
  'test/gateway/log-failure.test.ts',
  'test/telemetry/log-output.test.ts',
  'test/terminal/output-file.test.ts',
];

/** With `--sequence.shuffle` Vitest orders the files too, at random. */
const shuffles = process.argv.some((argument) => argument.startsWith('--sequence.shuffle'));

const shared = {
  // Never a measure of speed: a machine with other work may take many times as long.
  ...{ testTimeout: 180_000, hookTimeout: 180_000 },
  // Node runs the files as it runs the program: nothing is transformed, and imports cost nothing while a test runs.
  experimental: { viteModuleRunner: false, nodeLoader: false },
};

export default defineConfig({
  test: {
    maxWorkers,
    ...(shuffles ? {} : { sequence: { sequencer: LongestFirst } }),
    projects: [
      {
        test: {
          ...shared,
          name: 'shared',
          include: ['test/**/*.test.ts'],
          // `npm run test:chart`, `npm run test:cluster` and `npm run test:page`: they need more than Node.
          exclude: ['test/helm/**', 'test/cluster/**', 'test/page/**', ...ownProcess],
          // Modules are loaded once for all files of a process, which takes half of the time that a process for each file does.
          // Threads would share one large process, and to start a gateway from that costs three times as much.
          pool: 'forks',
          isolate: false,
        },
      },
      { test: { ...shared, name: 'own', include: ownProcess, pool: 'forks' } },
    ],
  },
});
