/** Parses a request head: to an unambiguous request, or a refusal (RFC 9112 §3, §5, §6). */

import { type RequestFields, requestFields } from './field-forwarding.ts';
import { type FieldSection, readFields } from './field-section.ts';
import { asMethod, isHost, isToken, type Method } from './grammar.ts';
import type { RefusalName } from './message-reasons.ts';
import { isAsteriskForm, readAbsolute, readTarget } from './request-target.ts';

export interface RequestHead {
  readonly kind: 'request';
  readonly method: Method;
  /** Origin form: path and query. An absolute target is split into this and `host`. */
  readonly target: string;
  /** The target up to the query. */
  readonly path: string;
  /** HTTP/1.`minor`. */
  readonly minor: 0 | 1;
  /** null only for HTTP/1.0. */
  readonly host: string | null;
  /** Lines of the forwarded fields, `name: value` CRLF each. */
  readonly fields: string;
  readonly framing: Framing;
  /** Content-Length with framing `length`, else 0. */
  readonly length: number;
  readonly expectContinue: boolean;
  /** The client may send another request on this connection. */
  readonly keepAlive: boolean;
  /** As received, not validated (trace-context.ts validates); null: absent. */
  readonly traceparent: string | null;
  readonly tracestate: string | null;
}

/** How the end of a body is determined (RFC 9112 §6.3). */
export type Framing = 'none' | 'length' | 'chunked';

/** A refused head, with the parts that were parsed, for the audit record. */
export interface RefusedHead {
  readonly kind: 'refused';
  readonly refusal: RefusalName;
  readonly method: Method | null;
  readonly path: string | null;
}

export interface HeadLimits {
  /** Maximum number of fields of a head. */
  readonly fields: number;
  /** Maximum bytes of a body. */
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
  if (method === 'OPTIONS' && isAsteriskForm(target, absolute)) return refused('options_asterisk', method);
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
    // RFC 9110 §10.1.1: ignored on HTTP/1.0, and without a body.
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

/** Checks that the fields are consistent with each other and with the request line. */
function checkSection(section: FieldSection, facts: RequestFacts): RefusalName | null {
  const { method, minor, authority, maxBody } = facts;
  if (section.host === null ? minor === 1 : !isHost(section.host)) return 'host';
  // RFC 9112 §3.2: both must be identical, or it is ambiguous which host is meant.
  if (authority !== null && section.host !== null && !isSameAuthority(authority, section.host)) return 'host';
  // RFC 9112 §6.1: Transfer-Encoding on HTTP/1.0 makes the framing faulty.
  if (section.chunked && minor === 0) return 'transfer_encoding';
  if (section.expect !== null && section.expect.toLowerCase() !== '100-continue') return 'expectation';
  const needsBody = method === 'POST' || method === 'PUT' || method === 'PATCH';
  if (needsBody && !section.chunked && section.length === -1) return 'length_required';
  if (section.length > maxBody) return 'body_length';
  return null;
}

/** Ignores case and the default port of https (RFC 9110 §4.2.3). */
function isSameAuthority(one: string, other: string): boolean {
  const normal = (authority: string) => authority.toLowerCase().replace(/:443$/, '');
  return normal(one) === normal(other);
}
