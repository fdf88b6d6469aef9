/** Parts of random HTTP/1.1 messages for fast-check: field lines, and framed bodies. Text is latin1. */
import fc from 'fast-check';
import { mostly } from './mutations.ts';

/** Field names with a special rule, and some without. */
export const requestNames = (
  'Accept Content-Type Cookie X-Custom x_custom Forwarded CLIENT_CERT Client-Cert-Chain X-Forwarded-For ' +
  'x_forwarded-host X-Real-IP X-Request-Id True-Client-IP X-ARR-ClientCert X-Client-Cert-Dn X-SSL-Cert ' +
  'ssl_client_verify X-Amzn-Mtls-Clientcert Keep-Alive TE Trailer Upgrade Proxy-Connection $WSCC WL-Proxy-SSL ' +
  'Proxy X.Remote.User X-HTTP-Method-Override X-Original-URL'
).split(' ');
export const responseNames = 'Content-Type Date ETag Set-Cookie Set-Cookie Keep-Alive Trailer Upgrade'.split(
  ' ',
);

const tokenCharacters = fc.constantFrom(...'abXY09', ..."!#$%&'*+-.^_`|~");
const token = fc.string({ unit: tokenCharacters, minLength: 1, maxLength: 6 });
const valueCharacter = fc.constantFrom(...'aZ09 \t,;:="\'/\\(){}[]<>@?', '\x80', '\xff', '\xa0');
const value = fc.oneof(
  fc.constantFrom('', 'a', 'application/json', '"q"; w=1', 'chunked', '0', 'close'),
  fc.string({ unit: valueCharacter, maxLength: 12 }),
);
const space = mostly(fc.constant(' '), fc.constantFrom('', '  ', '\t', ' \t '), 6);
const trailing = mostly(fc.constant(''), fc.constantFrom(' ', '\t', ' \t '), 8);

export function line(name: fc.Arbitrary<string>, content: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .tuple(name, fc.constant(':'), space, content, trailing, fc.constant('\r\n'))
    .map((parts) => parts.join(''));
}

const connection = line(
  fc.constantFrom('Connection', 'connection'),
  mostly(
    fc.constantFrom('keep-alive', 'close', 'x-custom', 'Keep-Alive , Accept', 'te,, Cookie', ''),
    fc.constantFrom('content-type', 'close, Host', 'transfer-encoding', 'a b', 'upgrade'),
    10,
  ),
);

export function fieldLine(names: readonly string[]): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 8, arbitrary: line(fc.constantFrom(...names), value) },
    { weight: 3, arbitrary: line(token, value) },
    { weight: 1, arbitrary: connection },
  );
}

export const text = fc.oneof(
  fc.constantFrom('{}', 'GET /b HTTP/1.1\r\nHost: b\r\n\r\n', '0\r\n\r\n', 'HTTP/1.1 200 OK\r\n\r\n', '\r\n'),
  fc.string({ unit: fc.nat({ max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 40 }),
);

const sizeSpelling = fc.tuple(fc.nat({ max: 3 }), fc.boolean());
const extension = mostly(
  fc.constant(''),
  mostly(
    fc.constantFrom(';a', ';a=b', ';a="b c"', ';a;b=c;d="\\""', ';a="\\\xe9\t;"'),
    fc.constantFrom(';', ' ;a', '; a', ';a =b', ';a=', ';a="', ';a="b"c', ';"a"', ' ', ';a="\r\n"'),
    6,
  ),
  6,
);
const chunk = fc.tuple(text, sizeSpelling, extension).map(([payload, [zeros, upper], behind]) => {
  if (payload === '') return '';
  const digits = '0'.repeat(zeros) + payload.length.toString(16);
  return `${upper ? digits.toUpperCase() : digits}${behind}\r\n${payload}\r\n`;
});
const trailers = mostly(
  fc.constant(''),
  line(fc.constantFrom('X-Digest', 'Content-Length', 'Transfer-Encoding', 'Connection', 'Host'), value),
  10,
);
const chunks = fc
  .tuple(fc.array(chunk, { maxLength: 4 }), fc.constantFrom('0', '00', '00000000'), extension, trailers)
  .map(([parts, zero, behind, trailer]) => `${parts.join('')}${zero}${behind}\r\n${trailer}\r\n`);

export interface Content {
  readonly line: string;
  readonly body: string;
}

const lengthName = fc.constantFrom('Content-Length', 'content-length');
export const withLength: fc.Arbitrary<Content> = text.chain((body) =>
  line(lengthName, fc.constantFrom(`${body.length}`, `${body.length}`, `0${body.length}`)).map((field) => ({
    line: field,
    body,
  })),
);
const codingName = fc.constantFrom('Transfer-Encoding', 'transfer-encoding');
export const withChunks: fc.Arbitrary<Content> = fc
  .tuple(line(codingName, fc.constantFrom('chunked', 'Chunked')), chunks)
  .map(([field, body]) => ({ line: field, body }));
export const withNothing: fc.Arbitrary<Content> = fc.constant({ line: '', body: '' });
export const bothOrOdd: fc.Arbitrary<Content> = fc
  .tuple(
    fc.constantFrom(
      'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n',
      'Transfer-Encoding: chunked, chunked\r\n',
      'Transfer-Encoding: gzip, chunked\r\n',
      'Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n',
      'Transfer-Encoding: identity\r\n',
      'Content-Length: 5, 5\r\n',
      'Content-Length: +5\r\n',
      'Content-Length: 5\r\nContent-Length: 5\r\n',
    ),
    chunks,
  )
  .map(([field, body]) => ({ line: field, body }));
