/** OpenTelemetry spans: their parents, their attributes, and the messages without spans. */
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { version } from '../../src/version.ts';
import { type Message, statusOf } from '../support/http/http.ts';
import { post } from '../support/process/client.ts';
import { type CollectedSpan, type Collector, openCollector } from '../support/process/collector.ts';
import type { AuditRecord } from '../support/process/gateway.ts';
import { acknowledgement, response } from '../support/process/host.ts';
import { deadPort } from '../support/process/listening.ts';
import { messageOf } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

const server = 2;
const client = 3;
const failed = { code: 2 };
const parent = '00f067aa0ba902b7';

let collector: Collector;
let stage: Stage;
let unusedPort: number;

beforeAll(async () => {
  unusedPort = await deadPort();
  collector = await openCollector();
  stage = await openStage({
    routes: [
      { path: '/ehi' },
      { path: '/quick', deadline: '2s' },
      { path: '/unused', upstream: `http://127.0.0.1:${unusedPort}` },
    ],
    config: { tracing: { endpoint: collector.url, interval: '10ms' } },
  });
});

beforeEach(() => {
  stage.host.options.answer = () => acknowledgement;
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
  await collector.close();
});

let traces = 0;

/** A new trace as the sender of a message may have begun it. */
function newTrace(flags = '01'): { id: string; field: string } {
  const id = `abcdef${(++traces).toString(16).padStart(26, 'a')}`;
  return { id, field: `traceparent: 00-${id}-${parent}-${flags}` };
}

/** The response to the message, and its spans, the server span first. */
async function trace(target: string, count = 2): Promise<{ answer: Message; spans: CollectedSpan[] }> {
  const { id, field } = newTrace();
  const answer = await stage.send(post({ target, fields: [field] }));
  return { answer, spans: await spansOf(id, count) };
}

async function spansOf(traceId: string, count = 2): Promise<CollectedSpan[]> {
  const spans = await collector.collect(count, (span) => span.traceId === traceId);
  return spans.toSorted((one, other) => one.kind - other.kind);
}

function within(
  { startTimeUnixNano: start, endTimeUnixNano: end }: CollectedSpan,
  other: CollectedSpan,
): void {
  expect(BigInt(start)).toBeLessThanOrEqual(BigInt(end));
  expect(BigInt(start)).toBeGreaterThanOrEqual(BigInt(other.startTimeUnixNano));
  expect(BigInt(end)).toBeLessThanOrEqual(BigInt(other.endTimeUnixNano));
}

const spanId = expect.stringMatching(/^[0-9a-f]{16}$/);
const nanoseconds = expect.stringMatching(/^\d{19}$/);
const times = { startTimeUnixNano: nanoseconds, endTimeUnixNano: nanoseconds };

/** The span of a message to /ehi that was answered with 200. */
const serverSpan = (traceId: string, { conn_id, request_id }: AuditRecord) => ({
  ...times,
  traceId,
  spanId,
  parentSpanId: parent,
  flags: 0x301,
  name: 'POST /ehi',
  kind: server,
  status: {},
  attributes: {
    'http.request.method': 'POST',
    'url.scheme': 'https',
    'http.route': '/ehi',
    'http.response.status_code': '200',
    'network.protocol.version': '1.1',
    'client.address': '127.0.0.1',
    'ehi.conn_id': conn_id,
    'ehi.request_id': request_id,
  },
});

/** The span of the same message's request to the host. */
const clientSpan = (traceId: string, parentSpanId: string | undefined) => ({
  ...times,
  traceId,
  spanId,
  parentSpanId,
  flags: 0x101,
  name: 'POST',
  kind: client,
  status: {},
  attributes: {
    'http.request.method': 'POST',
    'server.address': '127.0.0.1',
    'server.port': `${stage.host.port}`,
    'http.response.status_code': '200',
    'network.protocol.version': '1.1',
  },
});

describe('a message with a sampled trace', () => {
  it('continues the trace through the gateway’s spans to the host', async () => {
    const { id, field } = newTrace();
    const index = stage.host.requests.length;
    await stage.send(post({ target: '/ehi/cards?a=b', fields: [field, 'tracestate: a=1'] }));
    const received = await stage.host.request(index);
    const record = await messageOf(stage.gateway, received);
    expect(record).toMatchObject({ trace_id: id });
    const [own, asked] = await spansOf(id);

    expect(own).toEqual(serverSpan(id, record));
    expect(asked).toEqual(clientSpan(id, own?.spanId));
    within(asked as CollectedSpan, own as CollectedSpan);
    const passed = received.fields.filter(([name]) => /^trace/i.test(name));
    expect(passed).toEqual([
      ['traceparent', `00-${id}-${asked?.spanId}-01`],
      ['tracestate', 'a=1'],
    ]);
  });

  it('has wall clock times and a duration in its spans', async () => {
    const before = BigInt(Date.now()) * 1_000_000n;
    const { spans } = await trace('/ehi');
    const after = BigInt(Date.now() + 1) * 1_000_000n;
    for (const { startTimeUnixNano, endTimeUnixNano } of spans) {
      // Both clocks tick in milliseconds here.
      expect(BigInt(startTimeUnixNano)).toBeGreaterThan(before - 2_000_000n);
      expect(BigInt(endTimeUnixNano)).toBeLessThanOrEqual(after);
    }
  });

  it('has other spans than the next message of its connection', async () => {
    await using connection = await stage.connect();
    const { id, field } = newTrace();
    for (let round = 0; round < 3; round++) {
      await connection.exchange(post({ target: '/ehi', fields: [field] }));
    }
    const spans = await spansOf(id, 6);
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(6);
    expect(new Set(spans.map(({ attributes }) => attributes['ehi.request_id'])).size).toBe(4);
  });
});

it('makes no spans for a message whose sender has not sampled its trace', async () => {
  const { id, field } = newTrace('00');
  const index = stage.host.requests.length;
  await stage.send(post({ target: '/ehi', fields: [field, 'tracestate: a=1'] }));
  const { fields } = await stage.host.request(index);
  expect(fields).toContainEqual(['traceparent', field.slice('traceparent: '.length)]);
  expect(fields).toContainEqual(['tracestate', 'a=1']);
  // The spans of a later message have arrived.
  await trace('/ehi');
  expect(collector.spans.filter(({ traceId }) => traceId === id)).toEqual([]);
});

it('begins a sampled trace for a message without one', async () => {
  const index = stage.host.requests.length;
  await stage.send(post({ target: '/ehi' }));
  const received = await stage.host.request(index);
  const [, id = '', spanId] = /^00-(\w+)-(\w+)-01$/.exec(received.field('traceparent') ?? '') ?? [];
  const [own, asked] = await spansOf(id);
  expect(own).not.toHaveProperty('parentSpanId');
  expect(asked).toMatchObject({ spanId, parentSpanId: own?.spanId });
  expect(await messageOf(stage.gateway, received)).toMatchObject({ trace_id: id });
});

describe('the spans of a message that fails', () => {
  it.each([
    ['500 Internal Server Error', '500', failed, failed],
    ['404 Not Found', '404', {}, failed],
    ['302 Found', '302', {}, {}],
  ])('have the span status of the convention for the host status %s', async (status, code, own, asked) => {
    stage.host.options.answer = () => response({ status });
    const { spans } = await trace('/ehi');
    expect(spans.map((span) => span.status)).toEqual([own, asked]);
    for (const span of spans) {
      expect(span.attributes['http.response.status_code']).toBe(code);
      expect(span.attributes['error.type']).toBe(span.status.code === 2 ? code : undefined);
    }
  });

  it('have the reason and the address when the connection is refused', async () => {
    const { spans } = await trace('/unused');
    expect(spans).toMatchObject([
      {
        name: 'POST /unused',
        status: failed,
        attributes: { 'error.type': 'connect_failed', 'http.response.status_code': '502' },
      },
      { status: failed, attributes: { 'error.type': 'connect_failed', 'server.port': `${unusedPort}` } },
    ]);
    // The gateway set that status.
    expect(spans[1]?.attributes).not.toHaveProperty('http.response.status_code');
  });

  it('have the deadline as the reason when the host does not answer', async () => {
    stage.host.options.answer = () => null;
    const { spans } = await trace('/quick');
    expect(spans).toMatchObject([
      { status: failed, attributes: { 'error.type': 'deadline', 'http.response.status_code': '504' } },
      { status: failed, attributes: { 'error.type': 'deadline' } },
    ]);
  });

  it('have the status that was sent, and an error, when the response is cut', async () => {
    stage.host.options.answer = (_request, socket) => {
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{');
      return null;
    };
    const { id, field } = newTrace();
    await expect(stage.send(post({ target: '/ehi', fields: [field] }))).rejects.toThrow();
    const cut = { 'error.type': 'answer_cut', 'http.response.status_code': '200' };
    expect(await spansOf(id)).toMatchObject([
      { status: failed, attributes: cut },
      { status: failed, attributes: cut },
    ]);
  });

  it('have no status when the client closes the connection', async () => {
    const { id, field } = newTrace();
    stage.host.options.answer = () => null;
    const index = stage.host.requests.length;
    const transport = connect({ port: stage.gateway.port, host: '127.0.0.1' });
    await using connection = await stage.connect({ socket: transport });
    connection.write(post({ target: '/ehi', fields: [field] }));
    await stage.host.request(index);
    transport.resetAndDestroy();
    const spans = await spansOf(id);
    for (const { status, attributes } of spans) {
      expect(status).toEqual(failed);
      expect(attributes).toMatchObject({ 'error.type': 'client_gone' });
      expect(attributes).not.toHaveProperty('http.response.status_code');
    }
  });
});

describe('a refused message', () => {
  it('has one span, which is not an error', async () => {
    const { answer, spans } = await trace('/nowhere/secret', 1);
    expect(statusOf(answer)).toBe(404);
    const { attributes, ...span } = spans[0] as CollectedSpan;
    expect(span).toMatchObject({ name: 'POST', kind: server, parentSpanId: parent, status: {} });
    expect(attributes).toMatchObject({
      'http.response.status_code': '404',
      'error.type': 'no_route',
      'ehi.request_id': answer.field('x-request-id'),
    });
    expect(attributes).not.toHaveProperty('http.route');
  });

  it('is recorded with a trace that the gateway begins if it has none', async () => {
    const answer = await stage.send(post({ target: '/nowhere' }));
    const id = answer.field('x-request-id');
    const [span] = await collector.collect(1, ({ attributes }) => attributes['ehi.request_id'] === id);
    expect(await messageOf(stage.gateway, answer)).toMatchObject({ trace_id: span?.traceId });
  });

  it('has no span if it is malformed', async () => {
    const { id, field } = newTrace();
    const bytes = post({ target: '/ehi', fields: [field, ' folded'] });
    expect(statusOf(await stage.send(bytes))).toBe(400);
    await trace('/ehi');
    expect(collector.spans.filter(({ traceId }) => traceId === id)).toEqual([]);
  });
});

it('sends its resource attributes to the collector', async () => {
  await trace('/ehi');
  const [first, last] = [collector.exports[0], collector.exports.at(-1)];
  expect(first).toMatchObject({
    path: '/v1/traces',
    headers: { 'content-type': 'application/json' },
    resource: { 'service.name': 'ehi-gateway', 'service.version': version },
  });
  expect(first?.resource).toEqual(last?.resource);
});

it('exports no content of a message that the client or the host wrote', async () => {
  stage.host.options.answer = () => response({ fields: ['X-Planted: plant-9'], body: 'plant-10' });
  const { id, field } = newTrace();
  const fields = [field, 'tracestate: p=plant-1', 'X-Any: plant-2', 'User-Agent: plant-3', 'Cookie: plant-4'];
  const bytes = post({ target: '/ehi/plant-5?plant-6=plant-7', fields, body: '{"a":"plant-8"}' });
  await stage.send(bytes.toString('latin1').replace('ehi.example', 'plant-11'));
  await spansOf(id);
  expect(collector.exports.map(({ body }) => body).join()).not.toContain('plant-');
  // All planted values were in the messages.
  const sent = stage.host.requests.at(-1)?.raw.toString();
  for (const number of [1, 2, 3, 4, 5, 6, 7, 8, 11]) expect(sent).toContain(`plant-${number}`);
});
