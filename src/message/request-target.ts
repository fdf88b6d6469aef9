/** Validates the request target: RFC 3986 characters only, and no path that two hosts may resolve differently. */
import { hexValue, isHost, pathTable, queryTable } from './grammar.ts';
import type { RefusalName } from './message-reasons.ts';

const SLASH = 0x2f;
const DOT = 0x2e;
const PERCENT = 0x25;
const QUESTION = 0x3f;
const SEMICOLON = 0x3b;

const BACKSLASH = 0x5c;
const DEL = 0x7f;

/**
 * Encoded characters that change the meaning of a path once decoded. `.`, `/` and `\` change it for hosts that decode
 * before they split. NUL ends it in some hosts. CR and LF begin a new line wherever the host writes it (a field, a log).
 * Other control characters have no legitimate use in a path.
 */
function isStructural(code: number): boolean {
  return code < 0x20 || code === DOT || code === SLASH || code === BACKSLASH || code === DEL;
}

interface AbsoluteTarget {
  readonly authority: string;
  /** The same target in origin form. */
  readonly origin: string;
  /** The target has neither path nor query. */
  readonly pathless: boolean;
}

/**
 * Parses a target in absolute-form, which a server must accept (RFC 9112 §3.2.2), for the scheme https. null: another form
 * or scheme, or an authority that is invalid or has user information.
 */
export function readAbsolute(target: string): AbsoluteTarget | null {
  if (target.charCodeAt(0) === SLASH) return null;
  const [, authority = '', rest = ''] = /^https:\/\/([^/?#]*)(.*)$/i.exec(target) ?? [];
  if (!isHost(authority)) return null;
  return { authority, origin: rest.startsWith('/') ? rest : `/${rest}`, pathless: rest === '' };
}

/** The target of OPTIONS for the whole server, `*`. For a proxy, an absolute target without a path means the same (RFC 9112 §3.2.4). */
export function isAsteriskForm(target: string, absolute: AbsoluteTarget | null): boolean {
  return target === '*' || absolute?.pathless === true;
}

/** The index after the path of an origin-form target, or the refusal. */
export function readTarget(target: string): { readonly pathEnd: number } | RefusalName {
  if (target.charCodeAt(0) !== SLASH) return 'target';
  let at = 1;
  let segment = 1;
  let twice = false;
  for (; at < target.length; at++) {
    const code = target.charCodeAt(at);
    if (pathTable[code] === 1) continue;
    if (code === SLASH) {
      if (at === segment || isDotSegment(target, segment, at)) return 'target_ambiguous';
      segment = at + 1;
    } else if (code === PERCENT) {
      const decoded = decodeTriple(target, at);
      if (decoded === -1) return 'target';
      if (isStructural(decoded) || isOverlong(target, at + 3, decoded)) return 'target_ambiguous';
      twice ||= decoded === PERCENT;
      at += 2;
    } else if (code === QUESTION) break;
    else return 'target';
  }
  if (isDotSegment(target, segment, at)) return 'target_ambiguous';
  const pathEnd = at;
  if (twice && hidesStructure(target.slice(0, pathEnd))) return 'target_ambiguous';
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

/**
 * Overlong UTF-8 (RFC 3629 §3): invalid sequences that lenient hosts decode to `.`, `/` or NUL (`%c0%ae`, `%e0%80%af`).
 * `after`: the index after `first`. The second byte may be encoded, or decoded already (`%c0%25ae` decoded once).
 */
function isOverlong(target: string, after: number, first: number): boolean {
  if (first < 0xc0) return false;
  const max = first <= 0xc1 ? 0xbf : first === 0xe0 ? 0x9f : first === 0xf0 ? 0x8f : -1;
  const code = target.charCodeAt(after);
  const next = code === PERCENT ? decodeTriple(target, after) : code;
  return next >= 0x80 && next <= max;
}

/** How many times a path may be percent-encoded: more than any host decodes, and a limit to the work per path. */
const MAX_DECODINGS = 4;

/**
 * Finds structural characters that are encoded more than once (`%252e`, `%25252e`, `%25%32%65`), and dot segments whose
 * parameter is (`.%253b`); some hosts decode again.
 */
function hidesStructure(path: string): boolean {
  let text = path;
  for (let time = 0; time < MAX_DECODINGS; time++) {
    const decoded = text.replace(/%[0-9A-Fa-f]{2}/g, (triple) =>
      String.fromCharCode(decodeTriple(triple, 0)),
    );
    if (decoded === text) return false;
    for (let at = 0; at < decoded.length; at++) {
      const code = decoded.charCodeAt(at);
      const encoded = code === PERCENT ? decodeTriple(decoded, at) : -1;
      if (encoded === -1 ? isOverlong(decoded, at + 1, code) : isStructural(encoded)) return true;
      if (encoded !== -1 && isOverlong(decoded, at + 3, encoded)) return true;
      if (code === SLASH && isDotSegment(decoded, at + 1, segmentEnd(decoded, at + 1))) return true;
    }
    text = decoded;
  }
  return true;
}

function segmentEnd(path: string, from: number): number {
  const slash = path.indexOf('/', from);
  return slash === -1 ? path.length : slash;
}

/** `.`, `..`, and the same with a parameter (`..;x`), which servlet containers remove before they resolve the path. */
function isDotSegment(target: string, from: number, to: number): boolean {
  if (target.charCodeAt(from) !== DOT) return false;
  const next = target.charCodeAt(from + 1) === DOT ? from + 2 : from + 1;
  if (next >= to || target.charCodeAt(next) === SEMICOLON) return true;
  // The same with an encoded `;`, for containers that decode before they remove the parameter.
  return target.charCodeAt(next) === PERCENT && decodeTriple(target, next) === SEMICOLON;
}
