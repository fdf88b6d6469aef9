/** Strict parser of the field lines of a head (RFC 9112 §2.2, §5), for requests and responses. */
import { type FieldRule, readConnectionOptions, readKeepAlive } from './field-forwarding.ts';
import { isToken, parseLength, tokenTable, valueTable } from './grammar.ts';
import type { RefusalName } from './message-reasons.ts';

const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;
const HTAB = 0x09;

/** Splits `FieldSection.fields` into lines. */
const lines = /(?<=\r\n)/;

/** The head is not complete yet. */
export const INCOMPLETE = -1;
/** The head has a bare CR, a bare LF or a NUL, which parsers interpret differently. */
export const BROKEN = -2;

/**
 * Finds the end of a head that begins at `start`, looking only at bytes from `from` on: the index after CRLF CRLF,
 * `INCOMPLETE` or `BROKEN`. Give `from = start` first, then the old `end`.
 */
export function findHeadEnd(bytes: Uint8Array, span: { start: number; from: number; end: number }): number {
  const { start, end } = span;
  // One byte back: a CR that was the last byte then must be followed by LF now.
  for (let at = Math.max(start, span.from - 1); at < end; at++) {
    const byte = bytes[at] as number;
    if (byte > CR) continue;
    if (byte === LF) {
      if (at === start || bytes[at - 1] !== CR) return BROKEN;
      if (at - start >= 3 && bytes[at - 2] === LF) return at + 1;
    } else if (byte === CR) {
      if (at + 1 < end && bytes[at + 1] !== LF) return BROKEN;
    } else if (byte === 0) return BROKEN;
  }
  return INCOMPLETE;
}

/** The fields of one head: those that are forwarded, in wire order, and the values of those that the codec reads. */
export interface FieldSection {
  /**
   * Lines of the forwarded fields, `name: value` CRLF each: as written, but with one space after the colon and no white
   * space after the value. Fields whose rule names them are never among these lines: in requests Host, Expect,
   * Content-Length, Transfer-Encoding, Connection, traceparent and tracestate; in responses Content-Length,
   * Transfer-Encoding, Connection and Keep-Alive. Nor are fields that the rule drops, or that Connection names.
   */
  fields: string;
  host: string | null;
  expect: string | null;
  /** Content-Length, or -1 without one. */
  length: number;
  chunked: boolean;
  close: boolean;
  keepAlive: boolean;
  /** `timeout` of Keep-Alive in seconds, or -1 without one. */
  idleSeconds: number;
  /** Empty if there are several. */
  traceparent: string | null;
  /** Several are joined to one list (RFC 9110 §5.3). */
  tracestate: string | null;
}

interface SectionSpan {
  /** Index after the start line. */
  readonly at: number;
  /** Index of the empty line that ends the head. */
  readonly end: number;
  readonly maxFields: number;
  readonly rule: (name: string) => FieldRule;
}

/** Parses the field lines of `text` (latin1, one character per byte). Returns a refusal if a line is malformed. */
export function readFields(text: string, span: SectionSpan): FieldSection | RefusalName {
  const section: FieldSection = {
    fields: '',
    host: null,
    expect: null,
    length: -1,
    chunked: false,
    close: false,
    keepAlive: false,
    idleSeconds: -1,
    traceparent: null,
    tracestate: null,
  };
  let connection: string | null = null;
  /** All transfer codings, if they are anything but `chunked` alone. */
  let codings: string | null = null;
  let count = 0;
  let at = span.at;
  // Start of a run of lines that are forwarded unchanged and copied in one piece.
  let run = at;
  while (at < span.end) {
    if (++count > span.maxFields) return 'field_count';
    const first = text.charCodeAt(at);
    if (first === SP || first === HTAB) return 'line_folding';

    let colon = at;
    while (tokenTable[text.charCodeAt(colon)] === 1) colon++;
    if (colon === at || text.charCodeAt(colon) !== 0x3a) return 'field_name';

    let from = colon + 1;
    while (isSpace(text.charCodeAt(from))) from++;
    let lineEnd = from;
    while (valueTable[text.charCodeAt(lineEnd)] === 1) lineEnd++;
    if (text.charCodeAt(lineEnd) !== CR) return 'field_value';
    let to = lineEnd;
    while (to > from && isSpace(text.charCodeAt(to - 1))) to--;

    const name = text.slice(at, colon);
    const rule = span.rule(name);
    const start = at;
    at = lineEnd + 2;
    const normal = to === lineEnd && from === colon + 2 && text.charCodeAt(colon + 1) === SP;
    if (rule === 'pass' && normal) continue;
    if (run < start) section.fields += text.slice(run, start);
    run = at;
    if (rule === 'drop') continue;
    const value = text.slice(from, to);
    switch (rule) {
      case 'pass':
        section.fields += `${name}: ${value}\r\n`;
        break;
      case 'host':
        if (section.host !== null) return 'host';
        section.host = value;
        break;
      case 'connection':
        connection = connection === null ? value : `${connection},${value}`;
        break;
      case 'content-length':
        if (section.length !== -1) return 'content_length';
        section.length = parseLength(value);
        if (section.length === -1) return 'content_length';
        break;
      case 'transfer-encoding':
        // White space after the coding makes llhttp read an unknown coding, and the body until the connection closes.
        if (to !== lineEnd) return 'transfer_encoding';
        if (codings === null && !section.chunked && value.toLowerCase() === 'chunked') section.chunked = true;
        else codings = `${codings ?? (section.chunked ? 'chunked' : '')},${value}`;
        break;
      case 'keep-alive':
        section.idleSeconds = readKeepAlive(value);
        break;
      case 'expect':
        section.expect = section.expect === null ? value : `${section.expect},${value}`;
        break;
      case 'traceparent':
        section.traceparent = section.traceparent === null ? value : '';
        break;
      case 'tracestate':
        section.tracestate = section.tracestate === null ? value : `${section.tracestate},${value}`;
        break;
    }
  }
  if (run < at) section.fields += text.slice(run, at);
  if (codings !== null) return section.length === -1 ? refuseCodings(codings) : 'transfer_encoding';
  // RFC 9112 §6.3: a message with both may be an attempt at request smuggling.
  if (section.chunked && section.length !== -1) return 'transfer_encoding';
  if (connection !== null) return applyConnection(section, connection);
  return section;
}

/**
 * RFC 9112 §6.1: a request with an unknown coding before `chunked` gets 501. §6.3: if `chunked` is not the last coding,
 * or is applied twice, the end of the body is not defined.
 */
function refuseCodings(codings: string): RefusalName {
  const names = codings
    .toLowerCase()
    .split(',')
    .map((coding) => coding.replace(/^[ \t]+|[ \t]+$/g, ''))
    .filter((coding) => coding !== '');
  const before = names.slice(0, -1);
  const known = names.at(-1) === 'chunked' && before.every((name) => isToken(name) && name !== 'chunked');
  return known && before.length > 0 ? 'transfer_coding' : 'transfer_encoding';
}

function isSpace(code: number): boolean {
  return code === SP || code === HTAB;
}

function applyConnection(section: FieldSection, value: string): FieldSection | RefusalName {
  const options = readConnectionOptions(value);
  if (options.invalid) return 'connection_names';
  section.close = options.close;
  section.keepAlive = options.keepAlive;
  if (options.names !== null) {
    const { names } = options;
    const stays = (line: string) => !names.has(line.slice(0, line.indexOf(':')).toLowerCase());
    section.fields = section.fields.split(lines).filter(stays).join('');
    if (names.has('traceparent')) section.traceparent = null;
    if (names.has('tracestate')) section.tracestate = null;
  }
  return section;
}
