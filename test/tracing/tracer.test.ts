/** Which messages get spans, and whose children these are. */
import { describe, expect, it } from 'vitest';
import { traceOf } from '../../src/message/trace-context.ts';
import { Tracer } from '../../src/tracing/tracer.ts';

const id = '4bf92f3577b34da6a3ce929d0e0e4736';
const parent = '00f067aa0ba902b7';
const sampled = `00-${id}-${parent}-01`;

const tracer = (sampleRatio: number) => new Tracer({ sampleRatio });
const message = (traceparent: string | null, tracestate: string | null = null) => ({
  traceparent,
  tracestate,
});

describe('a trace that the client has sampled', () => {
  it('goes on under the gateway’s span, with its state', () => {
    const { span, ...trace } = tracer(0).begin(message(sampled, 'a=1,b@c=2'));
    expect(span).toEqual({
      server: expect.stringMatching(/^[0-9a-f]{16}$/),
      client: expect.stringMatching(/^[0-9a-f]{16}$/),
      parent,
      flags: 1,
    });
    expect(span?.server).not.toBe(span?.client);
    expect(trace).toEqual({
      id,
      fields: `traceparent: 00-${id}-${span?.client}-01\r\ntracestate: a=1,b@c=2\r\n`,
    });
  });

  it.each([
    ['00', '01', '01'],
    ['00', '03', '03'],
    ['00', 'fd', '01'],
    ['cc', 'ff', '03'],
  ])('of version %s with the flags %s goes on in version 00 with %s', (version, flags, passed) => {
    const { fields, span } = tracer(0).begin(message(`${version}-${id}-${parent}-${flags}`));
    expect(fields).toBe(`traceparent: 00-${id}-${span?.client}-${passed}\r\n`);
  });

  it.each([
    ['its trace id', `00-abcdef004111111111111111abcdef00-${parent}-01`],
    ['the client’s span id', `00-${id}-4111111111111111-01`],
  ])('goes on as it came where %s could be a card number', (_which, traceparent) => {
    expect(tracer(1).begin(message(traceparent, 'a=1'))).toEqual(traceOf(message(traceparent, 'a=1')));
    expect(tracer(1).begin(message(traceparent)).span).toBeNull();
  });
});

it.each(['00', '02', 'fe'])('leaves a trace alone that the client has not sampled: flags %s', (flags) => {
  const traceparent = `00-${id}-${parent}-${flags}`;
  expect(tracer(1).begin(message(traceparent, 'a=1'))).toEqual({
    id,
    fields: `traceparent: ${traceparent}\r\ntracestate: a=1\r\n`,
    span: null,
  });
});

describe('a trace that begins here', () => {
  it.each([null, '', 'x', sampled.toUpperCase()])(
    'is sampled where the ratio says so: after %s',
    (before) => {
      const { id: own, fields, span } = tracer(1).begin(message(before, 'a=1'));
      expect(own).toMatch(/^[0-9a-f]{32}$/);
      expect(span).toMatchObject({ parent: null, flags: 1 });
      expect(fields).toBe(`traceparent: 00-${own}-${span?.client}-01\r\n`);
    },
  );

  it('is told to be unsampled, and decided by its own id, where the ratio does not take it', () => {
    const half = tracer(0.5);
    const traces = Array.from({ length: 1000 }, () => half.begin(message(null)));
    for (const { id: own, fields, span } of traces) {
      expect(span !== null).toBe(own.slice(18) >= '80000000000000');
      if (span === null) expect(fields).toMatch(new RegExp(`^traceparent: 00-${own}-[0-9a-f]{16}-00\r\n$`));
    }
    expect(new Set(traces.map(({ span }) => span === null)).size).toBe(2);
    expect(tracer(0).begin(message(null)).span).toBeNull();
  });
});
