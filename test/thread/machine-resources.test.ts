import os from 'node:os';
import { expect, it } from 'vitest';
import { canSharePort, memoryLimit, readMachineResources } from '../../src/thread/machine-resources.ts';

it.each([
  ['the limit of the container', 768, 25_000, 768],
  ['the memory of the machine without a limit', 0, 25_000, 25_000],
  ['the memory of the machine for the number that stands for no limit', 2 ** 64, 25_000, 25_000],
  ['the memory of the machine for a limit above it', 30_000, 25_000, 25_000],
])('the memory is %s', (_what, constrained, total, expected) => {
  expect(memoryLimit(constrained, total)).toBe(expected);
});

it('the machine has at least one core, and its memory is not above that of the machine', async () => {
  const { cores, memory } = await readMachineResources('127.0.0.1');
  expect(cores).toBe(os.availableParallelism());
  expect(memory).toBeGreaterThan(0);
  expect(memory).toBeLessThanOrEqual(os.totalmem());
});

it.runIf(process.platform === 'linux')('threads can share a port on Linux', async () => {
  expect(await canSharePort('127.0.0.1')).toBe(true);
});

it.runIf(process.platform === 'linux')(
  'an address that this machine does not have says nothing of the platform',
  async () => {
    expect(await canSharePort('192.0.2.1')).toBe(true);
  },
);
