/** What parseRequestHead refuses, and with which status: one table for each refusal. */
import { describe, expect, it } from 'vitest';
import { messageRefusals, type RefusalName } from '../../src/message/message-reasons.ts';
import { parseRequestHead } from '../../src/message/request.ts';

type Case = [title: string, head: string];

function refuses(refusal: RefusalName, status: number, cases: Case[]): void {
  describe(`a request head is refused with ${status} (${refusal})`, () => {
    it.each(cases)('%s', (_, head) => {
      expect(parseRequestHead(head, { fields: 10, body: 1000 })).toMatchObject({ kind: 'refused', refusal });
      expect(messageRefusals[refusal].status).toBe(status);
    });
  });
}

/** A head of a request line and field lines. */
function head(...lines: string[]): string {
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function get(...lines: string[]): string {
  return head('GET / HTTP/1.1', 'Host: a', ...lines);
}

function post(...lines: string[]): string {
  return head('POST / HTTP/1.1', 'Host: a', ...lines);
}

refuses('request_line', 400, [
  ['with two spaces before the target', head('GET  / HTTP/1.1', 'Host: a')],
  ['with two spaces before the version', head('GET /  HTTP/1.1', 'Host: a')],
  ['with a space before the method', head(' GET / HTTP/1.1', 'Host: a')],
  ['with a tab for a space', head('GET\t/ HTTP/1.1', 'Host: a')],
  ['with a space inside of the target', head('GET /a b HTTP/1.1', 'Host: a')],
  ['with a space behind the version', head('GET / HTTP/1.1 ', 'Host: a')],
  ['without a version (HTTP/0.9)', head('GET /')],
  ['without a target', head('GET HTTP/1.1', 'Host: a')],
  ['when its spaces are in the next line only', head('GET', 'Host: a b')],
  ['when it is empty', '\r\n\r\n'],
  ['with an empty line before it', `\r\n${get()}`],
  ['with a method that is no token', head('G{T / HTTP/1.1', 'Host: a')],
  ['with obs-text in the method', head('G\xc9T / HTTP/1.1', 'Host: a')],
  ['with a version in lower case', head('GET / http/1.1', 'Host: a')],
  ['with a version of two digits', head('GET / HTTP/1.10', 'Host: a')],
]);

refuses('version', 505, [
  ['with HTTP/1.2', head('GET / HTTP/1.2', 'Host: a')],
  ['with HTTP/2.0', head('PRI * HTTP/2.0')],
  ['with HTTP/0.9 written out', head('GET / HTTP/0.9')],
]);

refuses('method', 501, [
  ['TRACE', head('TRACE / HTTP/1.1', 'Host: a')],
  ['CONNECT', head('CONNECT a:443 HTTP/1.1', 'Host: a')],
  ['one in lower case', head('get / HTTP/1.1', 'Host: a')],
  ['one that begins as a known one', head('GETS / HTTP/1.1', 'Host: a')],
]);

refuses('target', 400, [
  ['in absolute form for http', head('GET http://a/ HTTP/1.1', 'Host: a')],
  ['in absolute form without an authority', head('GET https:///b HTTP/1.1', 'Host: a')],
  ['in absolute form with a user', head('GET https://u@a/ HTTP/1.1', 'Host: a')],
  ['in absolute form with a fragment', head('GET https://a#b HTTP/1.1', 'Host: a')],
  ['in absolute form with a backslash', head('GET https://a\\b HTTP/1.1', 'Host: a')],
  ['in authority form', head('GET a:443 HTTP/1.1', 'Host: a')],
  ['in asterisk form for another method', head('GET * HTTP/1.1', 'Host: a')],
  ['with a fragment', head('GET /a#b HTTP/1.1', 'Host: a')],
]);

refuses('options_asterisk', 501, [
  ['in asterisk form', head('OPTIONS * HTTP/1.1', 'Host: a')],
  ['as a proxy sees the same', head('OPTIONS https://a HTTP/1.1', 'Host: a')],
]);

refuses('target_ambiguous', 400, [
  ['in an absolute target too', head('GET https://a/b/../c HTTP/1.1', 'Host: a')],
  ['with a dot segment', head('GET /a/../b HTTP/1.1', 'Host: a')],
]);

refuses('host', 400, [
  ['without one', head('GET / HTTP/1.1')],
  ['with two', get('Host: b')],
  ['with two that say the same', get('hOST: a')],
  ['with two on HTTP/1.0', head('GET / HTTP/1.0', 'Host: a', 'Host: a')],
  ['with an empty one', head('GET / HTTP/1.1', 'Host:')],
  ['with a list', head('GET / HTTP/1.1', 'Host: a, b')],
  ['with another than the target’s', head('GET https://a/ HTTP/1.1', 'Host: b')],
  ['with another port than the target’s', head('GET https://a:8443/ HTTP/1.1', 'Host: a')],
  ['without one beside an absolute target', head('GET https://a/ HTTP/1.1')],
  ['with a path in it', head('GET / HTTP/1.1', 'Host: a/b')],
  ['with a wrong one on HTTP/1.0', head('GET / HTTP/1.0', 'Host: a b')],
]);

refuses('line_folding', 400, [
  ['with a folded line', get('X: 1', ' 2')],
  ['with a line folded by a tab', get('X: 1', '\t2')],
  ['with a space before the first field', head('GET / HTTP/1.1', ' Host: a')],
]);

refuses('field_name', 400, [
  ['with a space before a colon', head('GET / HTTP/1.1', 'Host : a')],
  ['with a tab before a colon', head('GET / HTTP/1.1', 'Host\t: a')],
  ['with a line without a colon', get('X')],
  ['with an empty name', get(': x')],
  ['with obs-text in a name', get('X\xe9: x')],
  ['with a slash in a name', get('X/Y: x')],
]);

refuses('field_value', 400, [
  ['with a vertical tab', get('X: a\x0bb')],
  ['with DEL', get('X: a\x7f')],
  ['with ESC', get('X: \x1b[0m')],
]);

refuses('field_count', 431, [
  ['with one field more than the limit', get(...Array.from({ length: 10 }, (_, at) => `X-${at}: 1`))],
]);

refuses('content_length', 400, [
  ['twice', post('Content-Length: 5', 'Content-Length: 6')],
  ['twice the same', post('Content-Length: 5', 'content-length: 5')],
  ['as a list', post('Content-Length: 5, 5')],
  ['empty', post('Content-Length:')],
  ['with a plus', post('Content-Length: +5')],
  ['negative', post('Content-Length: -5')],
  ['in hex', post('Content-Length: 0x5')],
  ['with a space in it', post('Content-Length: 1 0')],
  ['of 16 digits', post(`Content-Length: ${'0'.repeat(16)}`)],
]);

refuses('transfer_encoding', 400, [
  ['with a length before it', post('Content-Length: 5', 'Transfer-Encoding: chunked')],
  ['with a length behind it', post('Transfer-Encoding: chunked', 'Content-Length: 5')],
  ['as `chunked, chunked`', post('Transfer-Encoding: chunked, chunked')],
  ['twice', post('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked')],
  ['as `chunked;a=b`', post('Transfer-Encoding: chunked;a=b')],
  ['as `gzip, chunked` with a length', post('Transfer-Encoding: gzip, chunked', 'Content-Length: 5')],
  ['as gzip alone', post('Transfer-Encoding: gzip')],
  ['as `xchunked`', post('Transfer-Encoding: xchunked')],
  ['as `g zip, chunked`', post('Transfer-Encoding: g zip, chunked')],
  ['as `chunked`, and gzip behind it', post('Transfer-Encoding: chunked', 'Transfer-Encoding: gzip')],
  ['as `,chunked`', post('Transfer-Encoding: ,chunked')],
  ['as `chunked, identity`', post('Transfer-Encoding: chunked, identity')],
  ['as identity', get('Transfer-Encoding: identity')],
  ['empty', get('Transfer-Encoding:')],
  ['with a parameter', get('Transfer-Encoding: chunked;a=b')],
  ['in quotes', get('Transfer-Encoding: "chunked"')],
  // llhttp takes these for codings of another name; RFC 9112 takes them for chunked.
  ['with a tab behind it', get('Transfer-Encoding: chunked\t')],
  ['with a space behind it', get('Transfer-Encoding: chunked ')],
  ['on HTTP/1.0', head('POST / HTTP/1.0', 'Transfer-Encoding: chunked')],
]);

refuses('transfer_coding', 501, [
  ['as `gzip, chunked`', post('Transfer-Encoding: gzip, chunked')],
  ['as gzip, and chunked in the next field', post('Transfer-Encoding: gzip', 'transfer-encoding: Chunked')],
  ['as two codings before chunked', post('Transfer-Encoding: x-a,\tgzip ,chunked')],
]);

refuses('body_length', 413, [['with a length over the limit', post('Content-Length: 1001')]]);

refuses('length_required', 411, [
  ['as POST', post()],
  ['as PUT', head('PUT / HTTP/1.1', 'Host: a')],
  ['as PATCH', head('PATCH / HTTP/1.1', 'Host: a')],
  ['as POST on HTTP/1.0', head('POST / HTTP/1.0')],
]);

refuses('expectation', 417, [
  ['with another one', get('Expect: 200-ok')],
  ['with a list', get('Expect: 100-continue, x')],
  ['with the known one twice', get('Expect: 100-continue', 'Expect: 100-continue')],
  ['with an empty one', get('Expect:')],
]);

refuses('connection_names', 400, [
  ['when an option is no token', get('Connection: a b')],
  ['host', get('Connection: close, host')],
  ['content-length', get('Connection: Content-Length')],
  ['content-type', get('Connection: keep-alive,content-type')],
  ['transfer-encoding', get('Connection: TRANSFER-ENCODING')],
  ['expect, in the second of two fields', get('Connection: close', 'Connection: expect')],
]);
