/** Random HTTP/1.1 streams for fast-check: requests and responses, valid and malformed. Text is latin1. */
import fc from 'fast-check';
import {
  bothOrOdd,
  type Content,
  fieldLine,
  line,
  requestNames,
  responseNames,
  text,
  withChunks,
  withLength,
  withNothing,
} from './fragments.ts';
import { fraction, mostly, place, wire } from './mutations.ts';

const method = mostly(
  fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'),
  fc.constantFrom('TRACE', 'get', 'CONNECT', 'PRI', 'M-SEARCH', 'P@ST'),
  60,
);
const segment = mostly(
  fc.constantFrom('v1', 'ehi', 'a%20b', 'x;y=1', '~', '...', '.a', 'a.', '%41', "!$&'()*+,;=:@", '1'),
  fc.constantFrom('.', '..', '..;x', '', '%2e', '%2F', '%5c', '%00', '%zz', '%4', '#', '\\', '|', '\xe9'),
  60,
);
const path = fc.array(segment, { maxLength: 3 }).map((segments) => `/${segments.join('/')}`);
const query = mostly(fc.constant(''), fc.constantFrom('?', '?a=b', '?a?b/..%2f', '?#', '?%'), 4);
const target = mostly(
  fc.tuple(path, query).map((parts) => parts.join('')),
  fc.constantFrom(
    ...[
      '*',
      'http://a/',
      'a:80',
      '//a',
      '?a',
      'https://a/b?c',
      'https://a',
      'HTTPS://A:443?b',
      'https://u@a/',
    ],
    ...['https://[::1]:80/a', 'https://host.test:8443/v1', 'https://a#b'],
  ),
  20,
);
const version = mostly(
  fc.constant('HTTP/1.1'),
  mostly(
    fc.constant('HTTP/1.0'),
    fc.constantFrom('HTTP/1.2', 'HTTP/2.0', 'HTTP/0.9', 'http/1.1', 'HTTP/1.10'),
    10,
  ),
  8,
);
const host = mostly(
  fc.constantFrom('a', 'host.test:8443', '[::1]:80', '192.0.2.1'),
  fc.constantFrom('', 'a b', 'a:b', 'a, b', 'a/b', 'u@a', '[::1'),
  60,
);

interface HeadParts {
  readonly start: string;
  /** Host, or nothing. */
  readonly first: string;
  readonly fields: readonly string[];
  readonly content: Content;
  /** Position of the framing field among the others. */
  readonly at: number;
}

function writeMessage({ start, first, fields, content, at }: HeadParts): string {
  const lines = [first, ...fields];
  lines.splice(place(at, lines.length), 0, content.line);
  return `${start}\r\n${lines.join('')}\r\n${content.body}`;
}

const request = fc
  .record({
    method,
    target,
    version,
    host: mostly(line(fc.constantFrom('Host', 'host'), host), fc.constant(''), 60),
    fields: fc.array(fieldLine([...requestNames, ...requestNames, 'Expect']), { maxLength: 4 }),
    content: fc.oneof(
      { weight: 10, arbitrary: withLength },
      { weight: 10, arbitrary: withChunks },
      { weight: 1, arbitrary: bothOrOdd },
    ),
    bare: fc.boolean(),
    at: fraction,
  })
  .map(({ method, target, version, host, fields, content, bare, at }) => {
    const bodyless = method === 'GET' || method === 'HEAD' || (bare && !method.startsWith('P'));
    return writeMessage({
      start: `${method} ${target} ${version}`,
      first: host,
      fields,
      content: bodyless && bare ? { line: '', body: '' } : content,
      at,
    });
  });

const status = mostly(
  fc.constantFrom(200, 201, 202, 400, 404, 500, 503),
  fc.constantFrom(204, 205, 304, 999),
  5,
);
const reason = mostly(
  fc.constantFrom(' OK', ' ', ' Not Found'),
  fc.constantFrom('', ' \xe9\tx', '  a  ', ' a\x7f'),
  10,
);
const interim = fc
  .tuple(fc.constantFrom(100, 102, 103, 103, 199, 101), fc.array(fieldLine(responseNames), { maxLength: 2 }))
  .map(([code, fields]) => `HTTP/1.1 ${code} Wait\r\n${fields.join('')}\r\n`);
const finalAnswer = fc
  .record({
    version: mostly(
      fc.constant('HTTP/1.1'),
      fc.constantFrom('HTTP/1.0', 'HTTP/1.0', 'HTTP/1.0', 'HTTP/2.0', 'ICY'),
      8,
    ),
    status,
    reason,
    fields: fc.array(fieldLine(responseNames), { maxLength: 4 }),
    content: fc.oneof(
      { weight: 8, arbitrary: withLength },
      { weight: 8, arbitrary: withChunks },
      { weight: 5, arbitrary: text.map((body): Content => ({ line: '', body })) },
      { weight: 5, arbitrary: withNothing },
      { weight: 1, arbitrary: bothOrOdd },
    ),
    bodyless: mostly(fc.constant(false), fc.constant(true), 8),
    at: fraction,
  })
  .map(({ version, status, reason, fields, content, bodyless, at }) =>
    writeMessage({
      start: `${version} ${status}${reason}`,
      first: '',
      fields,
      content: bodyless || status === 204 || status === 304 ? { line: content.line, body: '' } : content,
      at,
    }),
  );

/** One to three requests, pipelined. */
export const requestWire = wire(
  fc
    .array(fc.tuple(mostly(fc.constant(''), fc.constantFrom('\r\n', '\r\n\r\n', '\n'), 10), request), {
      minLength: 1,
      maxLength: 3,
    })
    .map((parts) => parts.flat().join('')),
);

/** Interim responses, the final response, and sometimes bytes after it. */
export const answerWire = wire(
  fc
    .tuple(mostly(fc.constant(''), interim, 6), finalAnswer, mostly(fc.constant(''), finalAnswer, 8))
    .map((parts) => parts.join('')),
);
