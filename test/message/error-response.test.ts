import { describe, expect, it } from 'vitest';
import { errorResponse, refusalPage } from '../../src/message/error-response.ts';
import { messageRefusals, upstreamFailures } from '../../src/message/message-reasons.ts';
import { type NodeMessage, NodeParser } from '../support/http/parser.ts';

/** The one answer in the bytes, as Node reads it, and its fields by name. */
function read(bytes: Buffer, toHead = false): NodeMessage & { field: (name: string) => string | undefined } {
  using parser = new NodeParser('response', { toHead });
  parser.feed(bytes);
  expect([parser.error, parser.completed, parser.messages.length]).toEqual([null, 1, 1]);
  const message = parser.messages[0] as NodeMessage;
  return { ...message, field: (name) => message.fields[message.fields.indexOf(name) + 1] };
}

const statuses = [
  ...new Set(
    [...Object.values(messageRefusals), ...Object.values(upstreamFailures)].map(({ status }) => status),
  ),
];

describe('an error', () => {
  it.each(statuses)('%i is short JSON with the request id', (status) => {
    const answer = read(errorResponse({ status, requestId: 'c1.2', close: true }));
    expect([answer.status, answer.minor, answer.keepAlive]).toEqual([status, 1, false]);
    expect(answer.reason).not.toBe('undefined');
    expect(answer.field('Content-Type')).toBe('application/json');
    expect(answer.field('X-Request-Id')).toBe('c1.2');
    expect(JSON.parse(answer.body)).toEqual({
      error: expect.stringMatching(/^[a-z_]+$/),
      request_id: 'c1.2',
    });
    expect(answer.body.length).toBeLessThan(100);
  });

  it.each(statuses)('%i says when to come back where that helps', (status) => {
    const answer = errorResponse({ status, requestId: 'c', close: true }).toString();
    expect(/\r\nRetry-After: (.*)\r\n/.exec(answer)?.[1]).toBe(status === 503 ? '1' : undefined);
  });

  it('names no status of success: it cannot be taken for an acknowledgement', () => {
    expect(statuses.filter((status) => status < 400)).toEqual([]);
  });

  it('leaves the connection open when it may', () => {
    expect(read(errorResponse({ status: 502, requestId: 'c', close: false })).keepAlive).toBe(true);
  });

  it('to HEAD has the same fields and no body', () => {
    const options = { status: 504, requestId: 'c', close: false };
    const full = read(errorResponse(options));
    const bare = read(errorResponse({ ...options, bodyless: true }), true);
    expect([bare.fields, bare.body]).toEqual([full.fields, '']);
    expect(bare.field('Content-Length')).toBe(`${full.body.length}`);
  });
});

describe('the page for a caller who may not come in', () => {
  it('is titled as nginx titles it when there was no certificate', () => {
    const page = read(refusalPage({ status: 400, requestId: 'c1.1', close: true }));
    expect([page.status, page.keepAlive]).toEqual([400, false]);
    expect(page.body).toContain('<title>400 No required SSL certificate was sent</title>');
    expect(page.field('Content-Type')).toBe('text/html; charset=utf-8');
    expect(page.field('X-Request-Id')).toBe('c1.1');
  });

  it('does not say why it is a 403', () => {
    const page = read(refusalPage({ status: 403, requestId: 'c1.1', close: true }));
    expect(page.body.replace('c1.1', '')).toBe(
      '<!DOCTYPE html>\n<html><head><title>403 Forbidden</title></head><body><h1>403 Forbidden</h1><p>Request </p></body></html>\n',
    );
  });
});
