/** The queue of spans: when spans are sent or dropped, and that closing it takes a limited time. */
import type { RequestListener } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DropReason, Exporter } from '../../src/tracing/exporter.ts';
import { spanJson } from '../../src/tracing/otlp-json.ts';
import { type Collector, openCollector } from '../support/process/collector.ts';
import { type TestTimers, testTimers } from '../support/timers.ts';

const interval = 5000;
const closeTimeout = 1000;

let collector: Collector;
let timers: TestTimers;
let exporter: Exporter;
let now: number;
let exported: number;
let dropped: Partial<Record<DropReason, number>>;
let failures: (string | null)[];
let wake: () => void;

beforeEach(async () => {
  collector = await openCollector();
  timers = testTimers();
  now = 0;
  exported = 0;
  dropped = {};
  failures = [];
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
        failures.push(cause);
        wake();
      },
    },
  });
});

afterEach(async () => {
  const closed = exporter.close();
  if (timers.pending.includes(closeTimeout)) timers.ring(closeTimeout);
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

/** Waits for the exporter's events, which come after the collector has received a batch. */
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
  it('after the interval, in one batch', async () => {
    exporter.add(spans(1));
    exporter.add(spans(2));
    expect(timers.pending).toEqual([interval]);
    timers.ring(interval);
    await until(() => exported === 3);
    expect(collector.exports).toHaveLength(1);
    expect(timers.pending).toEqual([]);
  });

  it('at once if 512 are queued, in batches of at most 512, each span once and in order', async () => {
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
  it('if 2048 are queued behind the batch that is being sent', async () => {
    collector.answer = hang;
    exporter.add(spans(512));
    exporter.add(spans(2000));
    exporter.add(spans(55));
    expect(dropped).toEqual({ queue_full: 7 });
    exporter.add(spans(100));
    expect(dropped).toEqual({ queue_full: 107 });
  });

  it.each([400, 401, 404, 413, 500, 302])('and not sent again after status %d', async (code) => {
    collector.answer = status(code, { location: '/elsewhere' });
    exporter.add(spans(512));
    await until(() => dropped.refused === 512);
    collector.answer = null;
    exporter.add(spans(512));
    await until(() => exported === 512);
    expect(collector.exports).toHaveLength(2);
    expect(failures).toEqual([`${code}`, null]);
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
  it.each([429, 502, 503, 504])(
    'after status %d and Retry-After, and no other batch before',
    async (code) => {
      collector.answer = status(code, { 'retry-after': '7' });
      exporter.add(spans(512));
      await until(() => failures.length === 1);
      exporter.add(spans(600));
      expect(timers.pending).toEqual([7000]);
      expect(collector.exports).toHaveLength(1);
      collector.answer = null;
      timers.ring(7000);
      await until(() => exported === 1024);
      expect(collector.exports[1]?.spans).toEqual(collector.exports[0]?.spans);
      expect(failures).toEqual([`${code}`, null]);
      expect(dropped).toEqual({});
    },
  );

  it('if there was no response, until it is a minute old; then the next batch is sent', async () => {
    await collector.close();
    exporter.add(spans(513));
    await until(() => failures.length === 1);
    expect(failures).toEqual(['ECONNREFUSED']);
    now = 60_000;
    timers.ring(timers.pending[0] ?? 0);
    await until(() => dropped.undelivered === 512);
    timers.ring(timers.pending[0] ?? 0);
    expect(timers.pending).toEqual([interval]);
    expect(dropped).toEqual({ undelivered: 512 });
    expect(failures).toHaveLength(1);
  });
});

describe('close', () => {
  it('resolves when all spans were accepted', async () => {
    exporter.add(spans(2000));
    await exporter.close();
    expect(exported).toBe(2000);
    expect(dropped).toEqual({});
    expect(timers.pending).toEqual([]);
  });

  it('resolves at once without spans', async () => {
    await exporter.close();
    expect(timers.pending).toEqual([]);
  });

  it('resolves after a second, whatever the collector does, and aborts the request', async () => {
    collector.answer = hang;
    exporter.add(spans(1000));
    await collector.whenExported(1);
    const closed = exporter.close();
    expect(timers.pending).toEqual([closeTimeout]);
    timers.ring(closeTimeout);
    await closed;
    expect(dropped).toEqual({ ended: 1000 });
    expect(failures).toEqual([]);
    exporter.add(spans(1));
    expect(dropped).toEqual({ ended: 1001 });
  });

  it('sends nothing to a collector that is failing', async () => {
    collector.answer = status(503);
    exporter.add(spans(1000));
    await until(() => failures.length === 1);
    await exporter.close();
    expect(dropped).toEqual({ ended: 1000 });
    expect(collector.exports).toHaveLength(1);
    expect(timers.pending).toEqual([]);
  });

  it('resolves after the first failure', async () => {
    collector.answer = status(503);
    exporter.add(spans(2000));
    await exporter.close();
    expect(collector.exports).toHaveLength(1);
    expect(dropped).toEqual({ ended: 2000 });
  });
});
