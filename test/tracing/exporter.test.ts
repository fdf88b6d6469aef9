/** The queue of spans: what is sent when, what is dropped, and that its end is bounded, whatever the collector does. */
import type { RequestListener } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DropReason, Exporter } from '../../src/tracing/exporter.ts';
import { spanJson } from '../../src/tracing/otlp-json.ts';
import { type Collector, openCollector } from '../support/process/collector.ts';
import { type TestTimers, testTimers } from '../support/timers.ts';

const interval = 5000;
const farewell = 1000;

let collector: Collector;
let timers: TestTimers;
let exporter: Exporter;
let now: number;
let exported: number;
let dropped: Partial<Record<DropReason, number>>;
let troubles: (string | null)[];
let wake: () => void;

beforeEach(async () => {
  collector = await openCollector();
  timers = testTimers();
  now = 0;
  exported = 0;
  dropped = {};
  troubles = [];
  wake = () => {};
  exporter = new Exporter({
    settings: { endpoint: collector.url, serviceName: 'ehi', interval, headers: [], ca: null },
    ...{ version: '1', instanceId: 'i', host: 'h', timers, now: () => now },
    events: {
      onExported: (spans) => {
        exported += spans;
        wake();
      },
      onDropped: (spans, reason) => {
        dropped[reason] = (dropped[reason] ?? 0) + spans;
        wake();
      },
      onCollectorFailure: (cause) => {
        troubles.push(cause);
        wake();
      },
    },
  });
});

afterEach(async () => {
  const closed = exporter.close();
  if (timers.pending.includes(farewell)) timers.ring(farewell);
  await closed;
  await collector.close();
});

let made = 0;

function spans(count: number): string[] {
  return Array.from({ length: count }, () =>
    spanJson({
      traceId: '5b8efff798038103d269b633813fc60c',
      id: (++made).toString(16).padStart(16, '0'),
      ...{ parent: null, flags: 1, kind: 'server', name: 'POST', startMs: 1, endMs: 2, failed: false },
      attributes: [],
    } as const),
  );
}

/** What the exporter has heard: its events come after the collector's. */
async function until(fits: () => boolean): Promise<void> {
  while (!fits()) {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
}

const status =
  (code: number, headers: Record<string, string> = {}, body = ''): RequestListener =>
  (_request, response) =>
    response.writeHead(code, headers).end(body);
const hang: RequestListener = () => {};

describe('spans are sent', () => {
  it('after the interval, those that came meanwhile together', async () => {
    exporter.add(spans(1));
    exporter.add(spans(2));
    expect(timers.pending).toEqual([interval]);
    timers.ring(interval);
    await until(() => exported === 3);
    expect(collector.exports).toHaveLength(1);
    expect(timers.pending).toEqual([]);
  });

  it('at once when there are 512, no more than that together, and each once in its order', async () => {
    const all = spans(1100);
    exporter.add(all);
    await until(() => exported === 1024);
    expect(timers.pending).toEqual([interval]);
    timers.ring(interval);
    await until(() => exported === 1100);
    expect(collector.exports.map((each) => each.spans.length)).toEqual([512, 512, 76]);
    expect(collector.spans.map(({ spanId }) => spanId)).toEqual(all.map((span) => JSON.parse(span).spanId));
  });

  it('one batch at a time', async () => {
    let answer = () => {};
    collector.answer = (_request, response) => {
      answer = () => response.writeHead(200).end();
    };
    exporter.add(spans(1024));
    await collector.whenExported(1);
    expect(collector.exports).toHaveLength(1);
    expect(collector.sockets.size).toBe(1);
    answer();
    await collector.whenExported(2);
    answer();
    await until(() => exported === 1024);
  });
});

describe('spans are dropped', () => {
  it('beyond 2048 that wait behind one batch', async () => {
    collector.answer = hang;
    exporter.add(spans(512));
    exporter.add(spans(2000));
    exporter.add(spans(55));
    expect(dropped).toEqual({ queue_full: 7 });
    exporter.add(spans(100));
    expect(dropped).toEqual({ queue_full: 107 });
  });

  it.each([400, 401, 404, 413, 500, 302])('and not sent again when the answer is %d', async (code) => {
    collector.answer = status(code, { location: '/elsewhere' });
    exporter.add(spans(512));
    await until(() => dropped.refused === 512);
    collector.answer = null;
    exporter.add(spans(512));
    await until(() => exported === 512);
    expect(collector.exports).toHaveLength(2);
    expect(troubles).toEqual([`${code}`, null]);
  });

  it.each([
    ['as many as it says', '{"partialSuccess":{"rejectedSpans":"12","errorMessage":"no"}}', 12],
    ['a number that is one', '{"partialSuccess":{"rejectedSpans":12}}', 12],
    ['never more than were sent', '{"partialSuccess":{"rejectedSpans":"999999999999"}}', 512],
    ['none where it says nothing', '{"partialSuccess":{}}', 0],
    ['none where it says less than none', '{"partialSuccess":{"rejectedSpans":"-5"}}', 0],
    ['none where it says what is no number', '{"partialSuccess":{"rejectedSpans":"all"}}', 0],
    ['none where it says what is no JSON', '<html>', 0],
    ['none where it says something else', 'null', 0],
  ])('that the collector rejects: %s', async (_which, body, rejected) => {
    collector.answer = status(200, {}, body);
    exporter.add(spans(512));
    await until(() => exported + (dropped.rejected ?? 0) === 512);
    expect(dropped).toEqual(rejected === 0 ? {} : { rejected });
  });
});

describe('a batch is sent again', () => {
  it.each([429, 502, 503, 504])('after %d, when the collector says, and nothing before', async (code) => {
    collector.answer = status(code, { 'retry-after': '7' });
    exporter.add(spans(512));
    await until(() => troubles.length === 1);
    exporter.add(spans(600));
    expect(timers.pending).toEqual([7000]);
    expect(collector.exports).toHaveLength(1);
    collector.answer = null;
    timers.ring(7000);
    await until(() => exported === 1024);
    expect(collector.exports[1]?.spans).toEqual(collector.exports[0]?.spans);
    expect(troubles).toEqual([`${code}`, null]);
    expect(dropped).toEqual({});
  });

  it('when there was no answer, until it is a minute old; then the next one is', async () => {
    await collector.close();
    exporter.add(spans(513));
    await until(() => troubles.length === 1);
    expect(troubles).toEqual(['ECONNREFUSED']);
    now = 60_000;
    timers.ring(timers.pending[0] ?? 0);
    await until(() => dropped.undelivered === 512);
    timers.ring(timers.pending[0] ?? 0);
    expect(timers.pending).toEqual([interval]);
    expect(dropped).toEqual({ undelivered: 512 });
    expect(troubles).toHaveLength(1);
  });
});

describe('the end', () => {
  it('comes when everything was taken', async () => {
    exporter.add(spans(2000));
    await exporter.close();
    expect(exported).toBe(2000);
    expect(dropped).toEqual({});
    expect(timers.pending).toEqual([]);
  });

  it('comes at once where there is nothing', async () => {
    await exporter.close();
    expect(timers.pending).toEqual([]);
  });

  it('comes after a second, whatever the collector is doing, and lets go of it', async () => {
    collector.answer = hang;
    exporter.add(spans(1000));
    await collector.whenExported(1);
    const closed = exporter.close();
    expect(timers.pending).toEqual([farewell]);
    timers.ring(farewell);
    await closed;
    expect(dropped).toEqual({ ended: 1000 });
    expect(troubles).toEqual([]);
    exporter.add(spans(1));
    expect(dropped).toEqual({ ended: 1001 });
  });

  it('does not ask a collector again that is in trouble', async () => {
    collector.answer = status(503);
    exporter.add(spans(1000));
    await until(() => troubles.length === 1);
    await exporter.close();
    expect(dropped).toEqual({ ended: 1000 });
    expect(collector.exports).toHaveLength(1);
    expect(timers.pending).toEqual([]);
  });

  it('comes with the first failure', async () => {
    collector.answer = status(503);
    exporter.add(spans(2000));
    await exporter.close();
    expect(collector.exports).toHaveLength(1);
    expect(dropped).toEqual({ ended: 2000 });
  });
});
