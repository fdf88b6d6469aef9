/** Spans and their request as the OTLP specification writes them in JSON. */
import { describe, expect, it } from 'vitest';
import { exportRequest, requestStart, type SpanFacts, spanJson } from '../../src/tracing/otlp-json.ts';

const facts: SpanFacts = {
  traceId: '5b8efff798038103d269b633813fc60c',
  id: 'eee19b7ec3c1b174',
  parent: { id: 'eee19b7ec3c1b173', remote: true },
  flags: 1,
  kind: 'server',
  name: 'POST /ehi',
  startMs: 1_544_712_660_000.25,
  endMs: 1_544_712_661_000,
  failed: false,
  attributes: [
    ['http.request.method', 'POST'],
    ['http.response.status_code', 200],
    ['http.route', null],
  ],
};

const written = (changes: Partial<SpanFacts> = {}) => JSON.parse(spanJson({ ...facts, ...changes }));

describe('a span', () => {
  it('has its ids in hex, its enums as numbers, and its 64-bit numbers as text', () => {
    expect(written()).toEqual({
      traceId: '5b8efff798038103d269b633813fc60c',
      spanId: 'eee19b7ec3c1b174',
      parentSpanId: 'eee19b7ec3c1b173',
      flags: 0x301,
      name: 'POST /ehi',
      kind: 2,
      startTimeUnixNano: '1544712660000250000',
      endTimeUnixNano: '1544712661000000000',
      attributes: [
        { key: 'http.request.method', value: { stringValue: 'POST' } },
        { key: 'http.response.status_code', value: { intValue: '200' } },
      ],
      status: {},
    });
  });

  it('of a trace that begins with it has no parent', () => {
    const span = written({ parent: null });
    expect(span).not.toHaveProperty('parentSpanId');
    expect(span.flags).toBe(0x101);
  });

  it('of the gateway’s own says that its parent is here', () => {
    const span = written({ kind: 'client', parent: { id: '00f067aa0ba902b7', remote: false }, flags: 3 });
    expect(span).toMatchObject({ kind: 3, flags: 0x103 });
  });

  it('that failed says so, without a word of what', () => {
    expect(written({ failed: true }).status).toEqual({ code: 2 });
  });
});

it('goes with others under one resource and one scope', () => {
  const start = requestStart({ serviceName: 'ehi', version: '1.2.3', instanceId: 'i', host: 'h"' });
  const text = (key: string, value: string) => ({ key, value: { stringValue: value } });
  expect(JSON.parse(exportRequest(start, [spanJson(facts), spanJson(facts)]))).toEqual({
    resourceSpans: [
      {
        resource: {
          attributes: [
            text('service.name', 'ehi'),
            text('service.version', '1.2.3'),
            text('service.instance.id', 'i'),
            text('host.name', 'h"'),
          ],
        },
        scopeSpans: [{ scope: { name: 'ehi-gateway', version: '1.2.3' }, spans: [written(), written()] }],
      },
    ],
  });
});
