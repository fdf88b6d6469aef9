/** The values of a record as JSON: masked, cut and quoted. */
import { safeJson } from '../foreign-text.ts';
import { maskDigits } from '../telemetry/card-number-mask.ts';

/** Limit of client-controlled strings, bytes of UTF-8. */
const maxBytes = 512;
/** Of `detail`, which says what happened and what to do, and may quote names of a certificate. */
const maxDetailBytes = 1024;
/** Values whose JSON is cached. */
const maxKnown = 256;

const known = new Map<string, string>();
const quoted = new Map<string, string>();

/** The path of a request target as a JSON string. Results are cached, because few paths are requested often. */
export function knownText(target: string | null): string {
  if (target === null) return 'null';
  const query = target.indexOf('?');
  // Not cached: the slice would keep the whole target, including the query, in memory. Long paths are not cached either.
  if (query >= 0) return clientText(target.slice(0, query));
  if (target.length > maxBytes) return clientText(target);
  let text = known.get(target);
  if (text === undefined) {
    text = clientText(target);
    if (known.size >= maxKnown) known.clear();
    known.set(target, text);
  }
  return text;
}

/** Hex needs no escaping, but a client could choose digits that form a card number. */
export function traceText(id: string | null): string {
  return id === null ? 'null' : `"${maskDigits(id)}"`;
}

/** Masked before it is cut: a cut could shorten a card number to a run that is not masked. */
export function clientText(text: string | null): string {
  return text === null ? 'null' : safeJson(maskText(text));
}

/** The same text as it is in a record. */
export function maskText(text: string): string {
  return cut(maskDigits(text));
}

/** A value that the gateway, its configuration or OpenSSL chose, or an address: cached, because few of them recur. */
export function quote(text: string | null): string {
  if (text === null) return 'null';
  let json = quoted.get(text);
  if (json === undefined) {
    json = safeJson(text);
    if (quoted.size >= maxKnown) quoted.clear();
    quoted.set(text, json);
  }
  return json;
}

export function detailText(text: string | null): string {
  return text === null ? 'null' : safeJson(maskDetail(text));
}

/** The same text as the detail of a record. */
export function maskDetail(text: string): string {
  return cut(maskDigits(text), detailBuffer);
}

const encoder = new TextEncoder();
const textBuffer = new Uint8Array(maxBytes);
const detailBuffer = new Uint8Array(maxDetailBytes);

/** At most 512 bytes of UTF-8, without a partial character: `encodeInto` stops before one that does not fit. */
export function cut(text: string, buffer: Uint8Array = textBuffer): string {
  // One UTF-16 unit takes at most three bytes.
  if (text.length * 3 <= buffer.length) return text;
  return text.slice(0, encoder.encodeInto(text, buffer).read);
}

export function milliseconds(value: number): string {
  return Number.isFinite(value) ? `${Math.round(value * 1000) / 1000}` : 'null';
}

export function count(value: number): string {
  return Number.isFinite(value) ? `${value}` : 'null';
}

/** ISO 8601; null if a certificate's date is beyond the range of Date. */
export function date(milliseconds: number): string | null {
  const value = new Date(milliseconds);
  return Number.isNaN(value.getTime()) ? null : value.toISOString();
}
