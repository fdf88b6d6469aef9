/** Random HTTP/1.1 streams for fast-check: valid ones, and what is left of them after a few wounds. Text is latin1. */
import fc from 'fast-check';

/** Bytes as they arrive. */
export interface WireCase {
  readonly text: string;
  /** Where the stream is cut into pieces, as fractions of 2³². */
  readonly cuts: readonly number[];
}

/** The stream of a case as pieces in order; empty ones are left out. */
export function piecesOf({ text, cuts }: WireCase): Buffer[] {
  const bytes = Buffer.from(text, 'latin1');
  const at = [...cuts.map((cut) => place(cut, bytes.length)), bytes.length].sort((a, b) => a - b);
  const pieces: Buffer[] = [];
  let from = 0;
  for (const to of at) {
    if (to > from) pieces.push(bytes.subarray(from, to));
    from = to;
  }
  return pieces;
}

/** A fraction of 2³² as an index from 0 to `length`: a position that any text has. */
function place(fraction: number, length: number): number {
  return Math.floor((fraction / 2 ** 32) * (length + 1));
}

const fraction = fc.nat({ max: 2 ** 32 - 1 });

/** Mostly `usual`; `odd` in about one of `rarity` cases. */
function mostly<T, U>(usual: fc.Arbitrary<T>, odd: fc.Arbitrary<U>, rarity: number): fc.Arbitrary<T | U> {
  return fc.oneof({ weight: rarity - 1, arbitrary: usual }, { weight: 1, arbitrary: odd });
}

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
  fc.constantFrom('*', 'http://a/', 'a:80', '//a', '?a'),
  80,
);
const version = mostly(
  fc.constant('HTTP/1.1'),
  mostly(fc.constant('HTTP/1.0'), fc.constantFrom('HTTP/1.2', 'HTTP/2.0', 'HTTP/0.9', 'http/1.1', 'HTTP/1.10'), 10),
  8,
);
const host = mostly(
  fc.constantFrom('a', 'host.test:8443', '[::1]:80', '192.0.2.1'),
  fc.constantFrom('', 'a b', 'a:b', 'a, b', 'a/b', 'u@a', '[::1'),
  60,
);

const requestNames = [
  'Accept',
  'Content-Type',
  'Cookie',
  'X-Custom',
  'x_custom',
  'Forwarded',
  'CLIENT_CERT',
  'Client-Cert-Chain',
  'X-Forwarded-For',
  'x_forwarded-host',
  'X-Real-IP',
  'X-Request-Id',
  'True-Client-IP',
  'X-ARR-ClientCert',
  'X-Client-Cert-Dn',
  'X-SSL-Cert',
  'ssl_client_verify',
  'X-Amzn-Mtls-Clientcert',
  'Keep-Alive',
  'TE',
  'Trailer',
  'Upgrade',
  'Proxy-Connection',
];
const responseNames = ['Content-Type', 'Date', 'ETag', 'Set-Cookie', 'Set-Cookie', 'Keep-Alive', 'Trailer', 'Upgrade'];

const tokenCharacters = fc.constantFrom(...'abXY09', ..."!#$%&'*+-.^_`|~");
const token = fc.string({ unit: tokenCharacters, minLength: 1, maxLength: 6 });
const valueCharacter = fc.constantFrom(...'aZ09 \t,;:="\'/\\(){}[]<>@?', '\x80', '\xff', '\xa0');
const value = fc.oneof(
  fc.constantFrom('', 'a', 'application/json', '"q"; w=1', 'chunked', '0', 'close'),
  fc.string({ unit: valueCharacter, maxLength: 12 }),
);
const space = mostly(fc.constant(' '), fc.constantFrom('', '  ', '\t', ' \t '), 6);
const trailing = mostly(fc.constant(''), fc.constantFrom(' ', '\t', ' \t '), 8);

function line(name: fc.Arbitrary<string>, content: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.tuple(name, fc.constant(':'), space, content, trailing, fc.constant('\r\n')).map((parts) => parts.join(''));
}

const connection = line(
  fc.constantFrom('Connection', 'connection'),
  mostly(
    fc.constantFrom('keep-alive', 'close', 'x-custom', 'Keep-Alive , Accept', 'te,, Cookie', ''),
    fc.constantFrom('content-type', 'close, Host', 'transfer-encoding', 'a b', 'upgrade'),
    10,
  ),
);

function fieldLine(names: readonly string[]): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 8, arbitrary: line(fc.constantFrom(...names), value) },
    { weight: 3, arbitrary: line(token, value) },
    { weight: 1, arbitrary: connection },
  );
}

const text = fc.oneof(
  fc.constantFrom('{}', 'GET /b HTTP/1.1\r\nHost: b\r\n\r\n', '0\r\n\r\n', 'HTTP/1.1 200 OK\r\n\r\n', '\r\n'),
  fc.string({ unit: fc.nat({ max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 40 }),
);

const sizeSpelling = fc.tuple(fc.nat({ max: 3 }), fc.boolean());
const chunk = fc.tuple(text, sizeSpelling).map(([payload, [zeros, upper]]) => {
  if (payload === '') return '';
  const digits = '0'.repeat(zeros) + payload.length.toString(16);
  return `${upper ? digits.toUpperCase() : digits}\r\n${payload}\r\n`;
});
const trailers = mostly(
  fc.constant(''),
  line(fc.constantFrom('X-Digest', 'Content-Length', 'Transfer-Encoding', 'Connection', 'Host'), value),
  10,
);
const chunks = fc
  .tuple(fc.array(chunk, { maxLength: 4 }), fc.constantFrom('0', '00', '00000000'), trailers)
  .map(([parts, zero, trailer]) => `${parts.join('')}${zero}\r\n${trailer}\r\n`);

interface Content {
  readonly line: string;
  readonly body: string;
}

const lengthName = fc.constantFrom('Content-Length', 'content-length');
const withLength: fc.Arbitrary<Content> = text.chain((body) =>
  line(lengthName, fc.constantFrom(`${body.length}`, `${body.length}`, `0${body.length}`)).map((field) => ({
    line: field,
    body,
  })),
);
const codingName = fc.constantFrom('Transfer-Encoding', 'transfer-encoding');
const withChunks: fc.Arbitrary<Content> = fc
  .tuple(line(codingName, fc.constantFrom('chunked', 'Chunked')), chunks)
  .map(([field, body]) => ({ line: field, body }));
const withNothing: fc.Arbitrary<Content> = fc.constant({ line: '', body: '' });
const bothOrOdd: fc.Arbitrary<Content> = fc
  .tuple(
    fc.constantFrom(
      'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n',
      'Transfer-Encoding: chunked, chunked\r\n',
      'Transfer-Encoding: gzip, chunked\r\n',
      'Transfer-Encoding: identity\r\n',
      'Content-Length: 5, 5\r\n',
      'Content-Length: +5\r\n',
      'Content-Length: 5\r\nContent-Length: 5\r\n',
    ),
    chunks,
  )
  .map(([field, body]) => ({ line: field, body }));

interface HeadParts {
  readonly start: string;
  /** Host, or nothing. */
  readonly first: string;
  readonly fields: readonly string[];
  readonly content: Content;
  /** Where the framing field stands among the others. */
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

const status = mostly(fc.constantFrom(200, 201, 202, 400, 404, 500, 503), fc.constantFrom(204, 205, 304, 999), 5);
const reason = mostly(fc.constantFrom(' OK', ' ', ' Not Found'), fc.constantFrom('', ' \xe9\tx', '  a  ', ' a\x7f'), 8);
const interim = fc
  .tuple(fc.constantFrom(100, 102, 103, 103, 199, 101), fc.array(fieldLine(responseNames), { maxLength: 2 }))
  .map(([code, fields]) => `HTTP/1.1 ${code} Wait\r\n${fields.join('')}\r\n`);
const finalAnswer = fc
  .record({
    version: mostly(fc.constant('HTTP/1.1'), fc.constantFrom('HTTP/1.0', 'HTTP/1.0', 'HTTP/2.0', 'ICY'), 8),
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
    bodyless: fc.boolean(),
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

const wounds = fc.constantFrom(
  ...['\r', '\n', '\r\n', ' ', '\t', '\0', '\x0b', '\x1f', '\x7f', '\x80', '\xff', ':', ';', ',', '_', '-', '0', '%', '#'],
  ...['\r\n ', '\r\n\t', '\n\n', ';x=y', ' HTTP/1.1', 'Host: b\r\n', 'Content-Length: 3\r\n', 'Content-Length : 3\r\n'],
  ...['Transfer-Encoding: chunked\r\n', 'Transfer-Encoding:\x0bchunked\r\n', 'Expect: 100-continue\r\n', '0\r\n\r\n'],
  ...['Connection: close\r\n', 'X-Forwarded-For: 1\r\n', 'x_real_ip: 1\r\n', '\r\n\r\n', 'FFFFFFFFF\r\n', '3\r\nabc\r\n'],
);

interface Mutation {
  readonly kind: 'insert' | 'replace' | 'delete' | 'duplicate' | 'swap' | 'line_delete' | 'line_duplicate' | 'line_swap';
  readonly at: number;
  readonly to: number;
  readonly length: number;
  readonly text: string;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom(
    ...(['insert', 'replace', 'delete', 'duplicate', 'swap'] as const),
    ...(['line_delete', 'line_duplicate', 'line_swap'] as const),
  ),
  at: fraction,
  to: fraction,
  length: mostly(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 80 }), 4),
  text: fc.oneof(wounds, wounds, fc.nat({ max: 255 }).map((code) => String.fromCharCode(code))),
});

function mutate(stream: string, { kind, at, to, length, text }: Mutation): string {
  if (kind.startsWith('line_')) return mutateLines(stream, { kind, at, to });
  const from = place(at, stream.length);
  const before = stream.slice(0, from);
  const part = stream.slice(from, from + length);
  const after = stream.slice(from + length);
  if (kind === 'insert') return before + text + part + after;
  if (kind === 'replace') return before + text + stream.slice(from + text.length);
  if (kind === 'delete') return before + after;
  if (kind === 'duplicate') return before + part + part + after;
  return before + [...part].reverse().join('') + after;
}

function mutateLines(stream: string, { kind, at, to }: Pick<Mutation, 'kind' | 'at' | 'to'>): string {
  const lines = stream.split(/(?<=\r\n)/);
  const first = place(at, lines.length - 1);
  const other = place(to, lines.length - 1);
  const taken = lines[first] ?? '';
  if (kind === 'line_delete') lines.splice(first, 1);
  else if (kind === 'line_duplicate') lines.splice(other, 0, taken);
  else {
    lines[first] = lines[other] ?? '';
    lines[other] = taken;
  }
  return lines.join('');
}

const mutations = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Mutation[]>([]) },
  { weight: 5, arbitrary: fc.array(mutation, { minLength: 1, maxLength: 1 }) },
  { weight: 2, arbitrary: fc.array(mutation, { minLength: 2, maxLength: 4 }) },
);

function wire(stream: fc.Arbitrary<string>): fc.Arbitrary<WireCase> {
  return fc
    .tuple(stream, mutations, fc.array(fraction, { maxLength: 3 }))
    .map(([text, wounds, cuts]) => ({ text: wounds.reduce(mutate, text), cuts }));
}

/** One to three requests, pipelined. */
export const requestWire = wire(fc.array(request, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('')));

/** Interim answers, the answer, and now and then bytes behind it. */
export const answerWire = wire(
  fc
    .tuple(mostly(fc.constant(''), interim, 6), finalAnswer, mostly(fc.constant(''), finalAnswer, 8))
    .map((parts) => parts.join('')),
);
