import { expect, it } from 'vitest';
import { collectYoungGarbage } from '../../src/fetch/garbage-collection.ts';

it('gives back the memory of buffers that nobody holds', () => {
  for (let count = 0; count < 100; count++) Buffer.alloc(65_536);
  const held = process.memoryUsage().arrayBuffers;
  // The second collection waits for the sweep of the first.
  collectYoungGarbage();
  collectYoungGarbage();
  expect(process.memoryUsage().arrayBuffers).toBeLessThan(held);
});
