/** The request target: origin form only, RFC 3986 characters only, and no path that two readers resolve differently. */
import { hexValue, pathTable, queryTable } from './grammar.ts';
import type { RefusalName } from './refusal.ts';

const SLASH = 0x2f;
const DOT = 0x2e;
const PERCENT = 0x25;
const QUESTION = 0x3f;
const SEMICOLON = 0x3b;

/** Encoded characters that change a path's structure for hosts that decode before they split: NUL, `.`, `/`, `\`. */
const structural = new Set([0x00, DOT, SLASH, 0x5c]);

/** Where the path of an origin-form target ends, or why the target is refused. */
export function readTarget(target: string): { readonly pathEnd: number } | RefusalName {
  if (target.charCodeAt(0) !== SLASH) return 'target';
  let at = 1;
  let segment = 1;
  for (; at < target.length; at++) {
    const code = target.charCodeAt(at);
    if (pathTable[code] === 1) continue;
    if (code === SLASH) {
      if (at === segment || isDotSegment(target, segment, at)) return 'target_ambiguous';
      segment = at + 1;
    } else if (code === PERCENT) {
      const decoded = decodeTriple(target, at);
      if (decoded === -1) return 'target';
      if (structural.has(decoded)) return 'target_ambiguous';
      at += 2;
    } else if (code === QUESTION) break;
    else return 'target';
  }
  if (isDotSegment(target, segment, at)) return 'target_ambiguous';
  const pathEnd = at;
  for (at += 1; at < target.length; at++) {
    const code = target.charCodeAt(at);
    if (queryTable[code] === 1) continue;
    if (code !== PERCENT || decodeTriple(target, at) === -1) return 'target';
    at += 2;
  }
  return { pathEnd };
}

function decodeTriple(target: string, at: number): number {
  const high = hexValue(target.charCodeAt(at + 1));
  const low = hexValue(target.charCodeAt(at + 2));
  return high === -1 || low === -1 ? -1 : high * 16 + low;
}

/** `.`, `..`, and the same with a parameter (`..;x`), which servlet containers cut off before they resolve. */
function isDotSegment(target: string, from: number, to: number): boolean {
  if (target.charCodeAt(from) !== DOT) return false;
  const next = target.charCodeAt(from + 1) === DOT ? from + 2 : from + 1;
  return next >= to || target.charCodeAt(next) === SEMICOLON;
}
