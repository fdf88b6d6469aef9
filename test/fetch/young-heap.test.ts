import { expect, it } from 'vitest';
import { collectYoungGarbage } from '../../src/fetch/young-heap.ts';

it('frees buffers that are no longer referenced', () => {
  for (let count = 0; count < 100; count++) Buffer.alloc(65_536);
  const held = process.memoryUsage().arrayBuffers;
  // The second collection waits until the first has swept.
  collectYoungGarbage();
  collectYoungGarbage();
  expect(process.memoryUsage().arrayBuffers).toBeLessThan(held);
});
