/** Card data in every place where a client or a host can write something. */
import { cardNumber, cvv } from './card-search.ts';
import { acknowledgement } from './process/host.ts';

let plantings = 0;
/** A different card number for every place. */
export const card = () => cardNumber(plantings++);
export const percent = (text: string) => [...text].map((digit) => `%3${digit}`).join('');
export const twice = (text: string) => percent(text).replaceAll('%', '%25');

const host = 'Host: ehi.example\r\n';
const body = () => `{"Card":"${card()}","${cvv}":"${card()}"}`;
const request = (target: string, fields = '') =>
  `POST ${target} HTTP/1.1\r\n${host}${fields}Content-Length: 2\r\n\r\n{}`;
const chunked = (bytes: string) => `POST /ehi HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n${bytes}`;

export function withBody(target = '/ehi'): string {
  const text = body();
  return `POST ${target} HTTP/1.1\r\n${host}Content-Length: ${text.length}\r\n\r\n${text}`;
}

/** Requests of clients, each on a separate connection. */
export const requests: readonly string[] = [
  withBody(),
  chunked(`${body().length.toString(16)}\r\n${body()}\r\n0\r\n\r\n`),
  // Queries, and paths with a route and without one.
  ...['/ehi', '/nowhere'].flatMap((path) => [
    request(`${path}?card=${card()}&${cvv}`),
    request(`${path}?${percent(card())}`),
    request(`${path}/${card()}`),
    request(`${path}/a${card()}b?x`),
    request(`${path}/${percent(card())}`),
    request(`${path}/${twice(card())}`),
    request(`${path}/${twice(card()).replaceAll('%', '%25')}`),
    request(`${path}/${card().slice(0, 7)}${percent(card()).slice(21)}`),
    request(`${path}/12${card()}34`),
    // In groups, as printed on cards.
    ...['-', '.', '_', '+', '%20', '%2D', '%2520', '%C2%A0', '%E2%80%91'].map((gap) =>
      request(`${path}/${card().replace(/(.{4})(?!$)/g, `$1${gap}`)}`),
    ),
    request(`${path}/${percent(`12${card()}34`)}`),
    // At every position around the one where a long path is cut.
    ...Array.from({ length: 30 }, (_, more) => request(`${path}/${'a'.repeat(480 + more)}/${card()}`)),
    ...[440, 450, 460].map((length) => request(`${path}/${'a'.repeat(length)}/${percent(card())}`)),
  ]),
  // Methods, versions, fields and malformed heads.
  `${card()} / HTTP/1.1\r\n${host}\r\n`,
  `PAY${card()} /${card()} HTTP/1.1\r\n${host}\r\n`,
  `GET /${card()} HTTP/${card()}\r\n${host}\r\n`,
  `GET /${card()} ${card()}\r\n\r\n`,
  `GET ${card()} HTTP/1.1\r\n${host}\r\n`,
  `GET http://${card()}/ HTTP/1.1\r\n${host}\r\n`,
  `GET //${card()} HTTP/1.1\r\n${host}\r\n`,
  `GET /${card()}\n${host}\n\n`,
  `\0${card()}\r\n\r\n`,
  `${card()}${cvv}`.repeat(1000),
  request('/ehi', `X-Card: ${card()}\r\nCookie: ${cvv}=${card()}\r\n${card()}: 1\r\n`),
  request('/ehi', `X-Request-Id: ${card()}\r\nX-Forwarded-For: ${card()}\r\ntraceparent: 00-${card()}-1\r\n`),
  request('/ehi', `traceparent: 00-${card()}${card()}-${card()}-01\r\ntracestate: a=${card()}\r\n`),
  request('/nowhere', `traceparent: 00-abcdef00${card()}abcdef00-${card()}-01\r\n`),
  request('/ehi', `X Card: ${card()}\r\n`),
  request('/ehi', `X-Card: ${card()}\x01\r\n`),
  request('/ehi', ` folded ${card()}\r\n`),
  request('/ehi', `Host: ${card()}\r\n`),
  request('/ehi', `Connection: ${card()}\r\n`),
  request('/ehi', `Expect: ${card()}\r\n`),
  request('/ehi', `Transfer-Encoding: ${card()}\r\n`),
  `POST /ehi HTTP/1.1\r\nHost: ${card()}\r\nContent-Length: ${card()}\r\n\r\n`,
  // Chunk lines, chunk ends and trailers.
  chunked(`${card()}\r\n`),
  chunked(`2;card=${card()}\r\n{}\r\n0\r\n\r\n`),
  chunked(`2\r\n{}${card()}\r\n0\r\n\r\n`),
  chunked(`2\r\n{}\r\n0\r\nX-Card: ${card()}\r\n\r\n`),
  chunked(`2\r\n{}\r\n0\r\n${card()} \r\n\r\n`),
  // Incomplete requests: the client closes in the middle.
  `POST /${card()} HTTP/1.1\r\nX-Card: ${card()}`,
  `POST /ehi/${card()} HTTP/1.1\r\n${host}Content-Length: 1000\r\n\r\n${body()}`,
  // Requests that the host answers with card numbers of its own.
  ...['answer', 'status', 'field', 'chunk', 'cut', 'silence'].map((way) => withBody(`/${way}/${card()}`)),
];

/** Responses of the host by path: valid, malformed, partial and none, with a card number in every place. */
export function answerTo(startLine: string): string {
  const [, way] = startLine.split('/');
  const head = `HTTP/1.1 200 ${card()}\r\nX-Card: ${card()}\r\n`;
  switch (way) {
    case 'answer':
      return `${head}Content-Length: 60\r\n\r\n${body().slice(0, 60)}${body()}`;
    case 'status':
      return `HTTP/1.1 ${card()} ${cvv}\r\n\r\n`;
    case 'field':
      return `${head}X ${card()}\r\n\r\n`;
    case 'chunk':
      return `${head}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n${card()}\r\n`;
    case 'cut':
      return `${head}Content-Length: 1000\r\n\r\n${body()}`;
    case 'silence':
      return '';
    default:
      return acknowledgement.toString();
  }
}
