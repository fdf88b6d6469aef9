/** What of a traceparent is believed, and what is made where nothing can be. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readTraceId, traceOf } from '../../src/message/trace-context.ts';

const id = '4bf92f3577b34da6a3ce929d0e0e4736';
const parent = '00f067aa0ba902b7';
const own = /^traceparent: 00-([0-9a-f]{32})-[0-9a-f]{16}-00\r\n$/;

describe('a traceparent is believed', () => {
  it.each([
    ['not sampled', `00-${id}-${parent}-00`],
    ['sampled', `00-${id}-${parent}-01`],
    ['with flags of later levels', `00-${id}-${parent}-ff`],
    ['of a later version', `cc-${id}-${parent}-01`],
    ['of a later version that says more', `01-${id}-${parent}-01-what-the-future-brings`],
  ])('%s, and goes on as it came', (_which, traceparent) => {
    expect(traceOf({ traceparent, tracestate: null })).toEqual({
      id,
      fields: `traceparent: ${traceparent}\r\n`,
      span: null,
    });
    expect(traceOf({ traceparent, tracestate: 'a=1,b@c=2' })).toEqual({
      id,
      fields: `traceparent: ${traceparent}\r\ntracestate: a=1,b@c=2\r\n`,
      span: null,
    });
  });
});

describe('a trace begins here, without a state, where traceparent is', () => {
  it.each([
    ['absent', null],
    ['empty, or there were several', ''],
    ['upper case', `00-${id.toUpperCase()}-${parent}-01`],
    ['of version ff', `ff-${id}-${parent}-01`],
    ['of version 00 and says more', `00-${id}-${parent}-01-`],
    ['of a later version and says more without a hyphen', `01-${id}-${parent}-01.x`],
    ['of zeros in its trace id', `00-${'0'.repeat(32)}-${parent}-01`],
    ['of zeros in its parent id', `00-${id}-${'0'.repeat(16)}-01`],
    ['too short', `00-${id}-${parent}-0`],
    ['without flags', `00-${id}-${parent}`],
    ['not hex', `00-${id.slice(1)}g-${parent}-01`],
    ['surrounded', ` 00-${id}-${parent}-01`],
    ['short in its trace id', `00-${id.slice(1)}-${parent}-01`],
    ['two values', `00-${id}-${parent}-01,00-${id}-${parent}-01`],
  ])('%s', (_which, traceparent) => {
    expect(readTraceId(traceparent)).toBe(null);
    const trace = traceOf({ traceparent, tracestate: 'a=1' });
    expect(own.exec(trace.fields)?.[1]).toBe(trace.id);
  });
});

it('makes ids that are all different, that are none of zeros, and that the audit need not mask', () => {
  const ids = Array.from({ length: 5000 }, () => {
    const { fields } = traceOf({ traceparent: null, tracestate: null });
    return fields.split('-').slice(1, 3);
  }).flat();
  expect(new Set(ids).size).toBe(10_000);
  expect(ids.filter((made) => /[0-9]{13}/.test(made))).toEqual([]);
});

it('passes on nothing that is not exactly of the form, whatever is written', () => {
  const hex = fc.string({ unit: fc.constantFrom(...'0123456789abcdefAF-g'), minLength: 0, maxLength: 34 });
  const near = fc
    .tuple(hex, fc.constantFrom(id, id.slice(1)), fc.constantFrom(parent, ''), hex)
    .map((parts) => parts.join('-'));
  fc.assert(
    fc.property(fc.oneof(near, fc.string()), (traceparent) => {
      const { id: read, fields } = traceOf({ traceparent, tracestate: null });
      if (readTraceId(traceparent) === null) expect(fields).toMatch(own);
      else
        expect(traceparent).toMatch(/^(?!ff)[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-[ -~]*)?$/s);
      expect(read).toMatch(/^(?!0{32})[0-9a-f]{32}$/);
    }),
  );
});
