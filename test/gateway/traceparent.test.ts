/** `traceparent`: relayed when well-formed, generated otherwise, and written to the message's record. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Message, statusOf } from '../support/http/http.ts';
import { post } from '../support/process/client.ts';
import { messageOf } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

const id = '4bf92f3577b34da6a3ce929d0e0e4736';
const traceparent = `00-${id}-00f067aa0ba902b7-01`;
const made = /^00-([0-9a-f]{32})-[0-9a-f]{16}-00$/;

let stage: Stage;

beforeAll(async () => {
  stage = await openStage({ routes: [{ path: '/ehi' }] });
});

afterAll(() => stage[Symbol.asyncDispose]());

async function relay(...fields: string[]): Promise<Message> {
  const index = stage.host.requests.length;
  await stage.send(post({ target: '/ehi', fields }));
  return stage.host.request(index);
}

const tracing = ({ fields }: Message) => fields.filter(([name]) => /^trace/i.test(name));

it('relays the fields of the client, with one spelling of the names', async () => {
  const received = await relay(`TraceParent: ${traceparent}`, 'TraceState: a=1', 'tracestate: b@c=2');
  expect(tracing(received)).toEqual([
    ['traceparent', traceparent],
    ['tracestate', 'a=1,b@c=2'],
  ]);
  expect(await messageOf(stage.gateway, received)).toMatchObject({ trace_id: id });
});

it.each([
  ['is none', []],
  ['is malformed', ['traceparent: 00-ab-cd-01', 'tracestate: a=1']],
  ['are two', [`traceparent: ${traceparent}`, `traceparent: ${traceparent}`, 'tracestate: a=1']],
  ['is one that Connection removes', ['Connection: traceparent', `traceparent: ${traceparent}`]],
  ['is a state alone', ['tracestate: a=1']],
])('begins a trace where there %s', async (_what, fields) => {
  const received = await relay(...fields);
  expect(tracing(received)).toEqual([['traceparent', expect.stringMatching(made)]]);
  const [, own] = made.exec(received.field('traceparent') ?? '') ?? [];
  expect(await messageOf(stage.gateway, received)).toMatchObject({ trace_id: own });
});

it('begins a separate trace for each message of a connection', async () => {
  await using client = await stage.connect();
  const index = stage.host.requests.length;
  for (let round = 0; round < 3; round++) await client.exchange(post({ target: '/ehi' }));
  const ids = stage.host.requests.slice(index).map((received) => received.field('traceparent'));
  expect(new Set(ids).size).toBe(3);
});

it('records the trace of the client for a refused message, and none without one', async () => {
  const refused = await stage.send(post({ target: '/nowhere', fields: [`traceparent: ${traceparent}`] }));
  expect(statusOf(refused)).toBe(404);
  expect(await messageOf(stage.gateway, refused)).toMatchObject({ reason: 'no_route', trace_id: id });
  const other = await stage.send(post({ target: '/nowhere', fields: ['traceparent: x'] }));
  expect(await messageOf(stage.gateway, other)).toMatchObject({ reason: 'no_route', trace_id: null });
});

it('masks a trace id that could be a card number, only in the record', async () => {
  const card = '00-abcdef004111111111111111abcdef00-00f067aa0ba902b7-01';
  const received = await relay(`traceparent: ${card}`);
  expect(received.field('traceparent')).toBe(card);
  expect(await messageOf(stage.gateway, received)).toMatchObject({ trace_id: 'abcdef[digits]abcdef00' });
});
