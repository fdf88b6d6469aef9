/** Parses a response head as strictly as a request head (RFC 9112 §4, §6.3). */

import { responseFields } from './field-forwarding.ts';
import { readFields } from './field-section.ts';
import type { RefusalName } from './message-reasons.ts';

export interface ResponseHead {
  readonly status: number;
  readonly reason: string;
  /** Lines of the forwarded fields, `name: value` CRLF each. */
  readonly fields: string;
  readonly framing: ResponseFraming;
  /** Content-Length of the host, -1 without one. With framing `none` no body follows, whatever it states. */
  readonly length: number;
  /** The connection may be reused after this response. */
  readonly reusable: boolean;
  /** `timeout` of Keep-Alive in seconds; -1 without one. */
  readonly idleSeconds: number;
}

/** Whether the response has a Content-Type. */
export function hasContentType({ fields }: ResponseHead): boolean {
  return contentType.test(fields);
}

const contentType = /^content-type: ./im;

export type ResponseFraming = 'none' | 'length' | 'chunked' | 'close';

/** The faults of a response; names of `upstreamFailures`. */
export type ResponseFaultName = 'bad_answer' | 'host_head_too_large' | 'host_framing';

export interface MalformedResponse {
  readonly fault: ResponseFaultName;
  /** For the log: a name of `messageRefusals`, `status_line`, `interim_framing` or `head_length`. */
  readonly cause: string;
}

export function malformed(fault: ResponseFaultName, cause: string): MalformedResponse {
  return { fault, cause };
}

/** Maps the refusal of a field section to one of the three faults of a response. */
function faultOf(refusal: RefusalName): ResponseFaultName {
  if (refusal === 'field_count') return 'host_head_too_large';
  const framing = ['content_length', 'transfer_encoding', 'transfer_coding'];
  return framing.includes(refusal) ? 'host_framing' : 'bad_answer';
}

const statusLine = /^HTTP\/1\.([01]) ([1-9][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*))?$/;

interface ResponseContext {
  /** The response is to HEAD: it has no body, whatever its fields state. */
  readonly toHead: boolean;
  readonly maxFields: number;
}

/** Parses a complete head (latin1, CRLF CRLF included); returns the fault if it is not valid HTTP/1.0 or 1.1. */
export function parseResponseHead(
  text: string,
  { toHead, maxFields }: ResponseContext,
): ResponseHead | MalformedResponse {
  const lineEnd = text.indexOf('\r\n');
  const line = statusLine.exec(text.slice(0, lineEnd));
  if (line === null) return malformed('bad_answer', 'status_line');
  const status = Number(line[2]);
  const section = readFields(text, {
    at: lineEnd + 2,
    end: text.length - 2,
    maxFields,
    rule: responseFields.rule,
  });
  if (typeof section === 'string') return malformed(faultOf(section), section);
  if (section.chunked && line[1] === '0') return malformed('host_framing', 'transfer_encoding');
  // RFC 9112 §6.1, RFC 9110 §8.6: an interim response has no body; clients differ in how they read framing fields in it.
  if (status < 200 && (section.chunked || section.length !== -1)) {
    return malformed('host_framing', 'interim_framing');
  }

  const bodyless = toHead || status < 200 || status === 204 || status === 304;
  const framing = bodyless
    ? 'none'
    : section.chunked
      ? 'chunked'
      : section.length !== -1
        ? 'length'
        : 'close';
  return {
    status,
    reason: line[3] ?? '',
    fields: section.fields,
    framing,
    length: section.length,
    reusable: framing !== 'close' && !section.close && (line[1] === '1' || section.keepAlive),
    idleSeconds: section.idleSeconds,
  };
}
