/** The texts of a record, each ready for its line: cut, masked and quoted as it must be. */
import { maskDigits } from '../telemetry/mask.ts';

/** Client-controlled strings end here, in bytes of UTF-8. */
const maxBytes = 512;
const maxKnownPaths = 256;

const known = new Map<string, string>();

/** A target's path, ready for the line. Hosts are asked for few paths many times, so these are kept. */
export function knownText(target: string | null): string {
  if (target === null) return 'null';
  const query = target.indexOf('?');
  // Not kept: the slice holds the whole target in memory, and with it the query. Nor are long paths.
  if (query >= 0) return clientText(target.slice(0, query));
  if (target.length > maxBytes) return clientText(target);
  let text = known.get(target);
  if (text === undefined) {
    text = clientText(target);
    if (known.size >= maxKnownPaths) known.clear();
    known.set(target, text);
  }
  return text;
}

/** Hex needs no quoting, but a client could choose digits that are a card number. */
export function traceText(id: string | null): string {
  return id === null ? 'null' : `"${maskDigits(id)}"`;
}

/** Masks before it cuts: a cut must not shorten a card number to a run that passes. */
export function clientText(text: string | null): string {
  return text === null ? 'null' : JSON.stringify(cut(maskDigits(text)));
}

export function quote(text: string | null): string {
  return text === null ? 'null' : JSON.stringify(text);
}

const encoder = new TextEncoder();
const cutBuffer = new Uint8Array(maxBytes);

/** At most 512 bytes of UTF-8, and never half a character: `encodeInto` stops before one that does not fit. */
export function cut(text: string): string {
  // One UTF-16 unit takes at most three bytes.
  if (text.length * 3 <= maxBytes) return text;
  return text.slice(0, encoder.encodeInto(text, cutBuffer).read);
}

export function milliseconds(value: number): string {
  return Number.isFinite(value) ? `${Math.round(value * 1000) / 1000}` : 'null';
}

export function count(value: number): string {
  return Number.isFinite(value) ? `${value}` : 'null';
}

/** ISO 8601, or null where a certificate's date is beyond what a Date can hold. */
export function date(milliseconds: number): string | null {
  const value = new Date(milliseconds);
  return Number.isNaN(value.getTime()) ? null : value.toISOString();
}
