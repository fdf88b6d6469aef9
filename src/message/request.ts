/** The request head: bytes to a request that can be read one way only, or a refusal (RFC 9112 §3, §5, §6). */

import { type FieldSection, readFields } from './field-section.ts';
import { type RequestFields, requestFields } from './fields.ts';
import { asMethod, isHost, isToken, type Method } from './grammar.ts';
import type { RefusalName } from './message-reasons.ts';
import { readAbsolute, readTarget } from './target.ts';

export interface RequestHead {
  readonly kind: 'request';
  readonly method: Method;
  /** Origin form: path and query. An absolute one is told apart into this and `host`. */
  readonly target: string;
  /** The target up to the query. */
  readonly path: string;
  /** HTTP/1.`minor`. */
  readonly minor: 0 | 1;
  /** null only on HTTP/1.0. */
  readonly host: string | null;
  /** The lines of the fields that go on, `name: value` and CRLF each. */
  readonly fields: string;
  readonly framing: Framing;
  /** Bytes of a body with framing `length`, else 0. */
  readonly length: number;
  readonly expectContinue: boolean;
  /** The client may send another request on this connection. */
  readonly keepAlive: boolean;
  /** As they came, well-formed or not (trace-context.ts); null: absent. */
  readonly traceparent: string | null;
  readonly tracestate: string | null;
}

/** How the end of a body is known (RFC 9112 §6.3). */
export type Framing = 'none' | 'length' | 'chunked';

/** A refused head, with what was known of it: enough for the audit record. */
export interface RefusedHead {
  readonly kind: 'refused';
  readonly refusal: RefusalName;
  readonly method: Method | null;
  readonly path: string | null;
}

export interface HeadLimits {
  /** How many fields a head may have. */
  readonly fields: number;
  /** Bytes a body may have. */
  readonly body: number;
}

const refused = (
  refusal: RefusalName,
  method: Method | null = null,
  path: string | null = null,
): RefusedHead => ({
  kind: 'refused',
  refusal,
  method,
  path,
});

/** Parses a complete head: `text` holds its bytes as latin1, CRLF CRLF included, found by `findHeadEnd`. */
export function parseRequestHead(
  text: string,
  limits: HeadLimits,
  fields: RequestFields = requestFields,
): RequestHead | RefusedHead {
  const lineEnd = text.indexOf('\r\n');
  const methodEnd = text.indexOf(' ');
  const targetEnd = text.indexOf(' ', methodEnd + 1);
  if (methodEnd < 1 || targetEnd > lineEnd || targetEnd <= methodEnd + 1) return refused('request_line');

  const token = text.slice(0, methodEnd);
  const method = asMethod(token);
  if (method === null && !isToken(token)) return refused('request_line');
  const version = text.slice(targetEnd + 1, lineEnd);
  if (version !== 'HTTP/1.1' && version !== 'HTTP/1.0') {
    return refused(/^HTTP\/[0-9]\.[0-9]$/.test(version) ? 'version' : 'request_line', method);
  }
  if (method === null) return refused('method');

  const written = text.slice(methodEnd + 1, targetEnd);
  const absolute = readAbsolute(written);
  const target = absolute?.origin ?? written;
  // RFC 9112 §3.2.4: as a proxy sees it, the same is an absolute target without a path.
  if (method === 'OPTIONS' && (target === '*' || absolute?.pathless)) {
    return refused('options_asterisk', method);
  }
  const read = readTarget(target);
  if (typeof read === 'string') return refused(read, method);
  const path = read.pathEnd === target.length ? target : target.slice(0, read.pathEnd);

  const section = readFields(text, {
    at: lineEnd + 2,
    end: text.length - 2,
    maxFields: limits.fields,
    rule: fields.rule,
  });
  if (typeof section === 'string') return refused(section, method, path);
  const minor = version === 'HTTP/1.1' ? 1 : 0;
  const authority = absolute?.authority ?? null;
  const refusal = checkSection(section, { method, minor, authority, maxBody: limits.body });
  if (refusal !== null) return refused(refusal, method, path);

  return {
    kind: 'request',
    method,
    target,
    path,
    minor,
    host: section.host ?? authority,
    fields: section.fields,
    framing: section.chunked ? 'chunked' : section.length === -1 ? 'none' : 'length',
    length: Math.max(section.length, 0),
    // RFC 9110 §10.1.1: an HTTP/1.0 client cannot mean it, and without a body there is nothing to wait for.
    expectContinue: section.expect !== null && minor === 1 && (section.chunked || section.length > 0),
    keepAlive: minor === 1 && !section.close,
    traceparent: section.traceparent,
    tracestate: section.tracestate,
  };
}

interface RequestFacts {
  readonly method: Method;
  readonly minor: 0 | 1;
  /** Of an absolute target. */
  readonly authority: string | null;
  readonly maxBody: number;
}

/** What a request's fields must say together. */
function checkSection(section: FieldSection, facts: RequestFacts): RefusalName | null {
  const { method, minor, authority, maxBody } = facts;
  if (section.host === null ? minor === 1 : !isHost(section.host)) return 'host';
  // RFC 9112 §3.2: a client sends the same in both; where it does not, two hosts could be meant.
  if (authority !== null && section.host !== null && !isSameAuthority(authority, section.host)) return 'host';
  // RFC 9112 §6.1: Transfer-Encoding on HTTP/1.0 comes from a sender that does not know what it means.
  if (section.chunked && minor === 0) return 'transfer_encoding';
  if (section.expect !== null && section.expect.toLowerCase() !== '100-continue') return 'expectation';
  const needsBody = method === 'POST' || method === 'PUT' || method === 'PATCH';
  if (needsBody && !section.chunked && section.length === -1) return 'length_required';
  if (section.length > maxBody) return 'body_length';
  return null;
}

/** Case does not matter, nor does the port that https has by default (RFC 9110 §4.2.3). */
function isSameAuthority(one: string, other: string): boolean {
  const normal = (authority: string) => authority.toLowerCase().replace(/:443$/, '');
  return normal(one) === normal(other);
}
