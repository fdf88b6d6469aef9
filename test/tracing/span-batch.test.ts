/** What a relay thread keeps of spans until they are taken. */
import { expect, it } from 'vitest';
import { SpanBatch } from '../../src/tracing/span-batch.ts';

it('hands over what was added since, once', () => {
  const batch = new SpanBatch();
  expect(batch.take()).toBeNull();
  batch.add('one');
  batch.add('two');
  expect(batch.take()).toEqual({ spans: ['one', 'two'], dropped: 0 });
  expect(batch.take()).toBeNull();
});

it('keeps no more than 2048, and counts the others', () => {
  const batch = new SpanBatch();
  for (let index = 0; index < 2050; index++) batch.add(`${index}`);
  const report = batch.take();
  expect(report?.spans).toHaveLength(2048);
  expect(report?.spans.at(-1)).toBe('2047');
  expect(report?.dropped).toBe(2);
  batch.add('next');
  expect(batch.take()).toEqual({ spans: ['next'], dropped: 0 });
});
