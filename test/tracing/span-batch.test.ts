/** The spans that a relay thread collects for its next report. */
import { expect, it } from 'vitest';
import { SpanBatch } from '../../src/tracing/span-batch.ts';

it('returns the spans added since the last call', () => {
  const batch = new SpanBatch();
  expect(batch.take()).toBeNull();
  batch.add('one');
  batch.add('two');
  expect(batch.take()).toEqual({ spans: ['one', 'two'], dropped: 0 });
  expect(batch.take()).toBeNull();
});

it('keeps at most 2048 spans, and counts those dropped', () => {
  const batch = new SpanBatch();
  for (let index = 0; index < 2050; index++) batch.add(`${index}`);
  const report = batch.take();
  expect(report?.spans).toHaveLength(2048);
  expect(report?.spans.at(-1)).toBe('2047');
  expect(report?.dropped).toBe(2);
  batch.add('next');
  expect(batch.take()).toEqual({ spans: ['next'], dropped: 0 });
});
