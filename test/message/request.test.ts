import { describe, expect, it } from 'vitest';
import { parseRequestHead, type RequestHead } from '../../src/message/request.ts';

const limits = { fields: 10, body: 1000 };

function parse(head: string) {
  return parseRequestHead(head, limits);
}

/** A head of HTTP/1.1 from its request line's method and target, and its field lines. */
function http11(start: string, ...lines: string[]): string {
  return `${[`${start} HTTP/1.1`, ...lines].join('\r\n')}\r\n\r\n`;
}

function http10(start: string, ...lines: string[]): string {
  return `${[`${start} HTTP/1.0`, ...lines].join('\r\n')}\r\n\r\n`;
}

function accepted(head: string): RequestHead {
  const request = parse(head);
  if (request.kind === 'refused') throw new Error(`refused: ${request.refusal}`);
  return request;
}

describe('a request head', () => {
  it('is parsed into method, target, path, host, fields and framing', () => {
    const head = http11('POST /v1/ehi?a=b', 'Host: a.test:80', 'Content-Length: 12', 'X-Custom:  a \t b ');
    expect(parse(head)).toEqual({
      kind: 'request',
      method: 'POST',
      target: '/v1/ehi?a=b',
      path: '/v1/ehi',
      minor: 1,
      host: 'a.test:80',
      fields: 'X-Custom: a \t b\r\n',
      framing: 'length',
      length: 12,
      expectContinue: false,
      keepAlive: true,
      traceparent: null,
      tracestate: null,
    });
  });

  it('has a chunked body with Transfer-Encoding: chunked, in upper or lower case', () => {
    const head = accepted(http11('PUT /', 'Host: a', 'transfer-encoding:CHUNKED'));
    expect(head).toMatchObject({ framing: 'chunked', length: 0 });
  });

  it('has no body without framing fields, whatever follows it', () => {
    expect(accepted(http11('DELETE /', 'Host: a'))).toMatchObject({ framing: 'none', length: 0 });
  });

  it('keeps repeated fields, their order and their spelling', () => {
    const head = accepted(http11('GET /', 'X-B: 1', 'host: a', 'x-a: 2', 'X-B: 3', 'Empty:'));
    expect(head.fields).toBe('X-B: 1\r\nx-a: 2\r\nX-B: 3\r\nEmpty: \r\n');
  });

  it.each(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])(
    'may have the method %s',
    (method) => {
      expect(accepted(http11(`${method} /`, 'Host: a', 'Content-Length: 0')).method).toBe(method);
    },
  );
});

describe('an absolute target', () => {
  it.each([
    ['with a path and a query', 'https://a/b?c', 'a', '/b?c', '/b'],
    ['with a scheme and a host in other letters', 'HTTPS://A.test:8443/b', 'a.TEST:8443', '/b', '/b'],
    ['with the port of https, which Host may leave out', 'https://a:443/', 'a', '/', '/'],
    ['without a path', 'https://a', 'a', '/', '/'],
    ['with a query alone', 'https://a?b', 'a', '/?b', '/'],
    ['with an IPv6 address', 'https://[::1]:8443/b', '[::1]:8443', '/b', '/b'],
  ])('is equal to its origin form: %s', (_, written, host, target, path) => {
    expect(accepted(http11(`GET ${written}`, `Host: ${host}`))).toMatchObject({ host, target, path });
  });

  it('supplies the Host of an HTTP/1.0 request without one', () => {
    expect(accepted(http10('GET https://a:1/b'))).toMatchObject({ host: 'a:1', target: '/b' });
  });
});

describe('a request at a limit is accepted', () => {
  it('with as many fields as the limit, dropped ones counted', () => {
    const lines = Array.from({ length: 9 }, () => 'Keep-Alive: 1');
    expect(accepted(http11('GET /', 'Host: a', ...lines)).fields).toBe('');
    expect(parse(http11('GET /', 'Host: a', ...lines, 'TE: a'))).toMatchObject({ refusal: 'field_count' });
  });

  it('with a body as long as the limit, and with a length of 15 digits that is', () => {
    expect(accepted(http11('POST /', 'Host: a', 'Content-Length: 1000')).length).toBe(1000);
    expect(accepted(http11('POST /', 'Host: a', 'Content-Length: 000000000000007')).length).toBe(7);
  });
});

describe('a refusal has for the audit record', () => {
  it.each([
    ['nothing of a request line that cannot be read', 'GET\t/secret HTTP/1.1\r\n\r\n', null, null],
    ['no method that is not one of the seven', http11('SECRET /a', 'Host: a'), null, null],
    ['the method of another version', 'PUT /a HTTP/3.0\r\n\r\n', 'PUT', null],
    ['no path that is refused itself', http11('GET /a//b', 'Host: a'), 'GET', null],
    ['method and path when the fields are wrong', http11('GET /a?b', 'X'), 'GET', '/a'],
  ])('%s', (_, head, method, path) => {
    expect(parse(head)).toMatchObject({ kind: 'refused', method, path });
  });
});

describe('an HTTP/1.0 request', () => {
  it('may have no Host', () => {
    expect(accepted(http10('GET /a'))).toMatchObject({ minor: 0, host: null, framing: 'none' });
  });

  it('may have one Host, and a body with a length', () => {
    expect(accepted(http10('POST /a', 'Host: a', 'Content-Length: 3'))).toMatchObject({
      host: 'a',
      length: 3,
    });
  });

  it('is the last on its connection, also when it asks to keep it', () => {
    expect(accepted(http10('GET /a', 'Connection: keep-alive')).keepAlive).toBe(false);
  });

  it('cannot request 100 Continue, and is not refused for it', () => {
    const head = accepted(http10('POST /', 'Content-Length: 3', 'Expect: 100-continue'));
    expect(head).toMatchObject({ expectContinue: false, fields: '' });
  });
});

describe('an HTTP/1.1 request', () => {
  it.each([
    ['stays without a Connection field', [], true],
    ['stays with keep-alive', ['Connection: keep-alive'], true],
    ['goes with close', ['Connection: close'], false],
    ['goes with close in any case among others', ['Connection: x-a ,\tCLOSE, keep-alive'], false],
    ['goes with close in a second Connection field', ['Connection: keep-alive', 'connection: close'], false],
    ['stays with close in Proxy-Connection', ['Proxy-Connection: close'], true],
  ])('%s', (_, lines, keepAlive) => {
    expect(accepted(http11('GET /', 'Host: a', ...lines)).keepAlive).toBe(keepAlive);
  });

  it.each([
    ['a length', 'Content-Length: 3', true],
    ['chunks', 'Transfer-Encoding: chunked', true],
    ['no body: there is nothing to wait for', 'X: 1', false],
    ['an empty body', 'Content-Length: 0', false],
  ])('requests 100 Continue with %s', (_, line, expectContinue) => {
    const head = accepted(http11('DELETE /', 'Host: a', 'Expect: 100-Continue', line));
    expect(head.expectContinue).toBe(expectContinue);
    expect(head.fields).not.toContain('Expect');
  });
});

describe('fields that are not forwarded', () => {
  it('are hop-by-hop ones and those that Connection names, in all of its fields', () => {
    const head = http11(
      'GET /',
      'Host: a',
      'X-One: 1',
      'Connection: x-one, keep-alive',
      'Keep-Alive: timeout=5',
      'X-Two: 2',
      'connection: , X-TWO',
      'X-Three: 3',
      'TE: trailers',
      'Upgrade: h2c',
    );
    expect(accepted(head).fields).toBe('X-Three: 3\r\n');
  });

  it('are identity fields, each time and in each spelling', () => {
    const head = http11(
      'GET /',
      'Host: a',
      'Client-Cert: :AA==:',
      'client_cert: :AA==:',
      'X-FORWARDED-FOR: 1',
      'X_Forwarded-For: 1',
      'x-request-id: 1',
      'X-Request-Id: 2',
      'X-Custom: kept',
    );
    expect(accepted(head).fields).toBe('X-Custom: kept\r\n');
  });
});
