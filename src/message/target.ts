/** The request target: RFC 3986 characters only, and no path that two readers resolve differently. */
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
 * Encoded characters that mean something else once they are decoded. `.`, `/` and `\` change the path for hosts that
 * decode before they split. NUL ends it, CR and LF begin another line wherever the host writes it (a field, a log), and
 * no other control character stands in an honest path.
 */
function isStructural(code: number): boolean {
  return code < 0x20 || code === DOT || code === SLASH || code === BACKSLASH || code === DEL;
}

interface AbsoluteTarget {
  readonly authority: string;
  /** The same target in origin form. */
  readonly origin: string;
  /** It ends with its authority. */
  readonly pathless: boolean;
}

/**
 * RFC 9112 §3.2.2: a server must accept absolute-form. The gateway is one for https alone; null: the target is in
 * another form, or of another scheme, or its authority has a user in it or is not one.
 */
export function readAbsolute(target: string): AbsoluteTarget | null {
  if (target.charCodeAt(0) === SLASH) return null;
  const [, authority = '', rest = ''] = /^https:\/\/([^/?#]*)(.*)$/i.exec(target) ?? [];
  if (!isHost(authority)) return null;
  return { authority, origin: rest.startsWith('/') ? rest : `/${rest}`, pathless: rest === '' };
}

/** Where the path of an origin-form target ends, or why the target is refused. */
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
      if (isStructural(decoded) || isOverlong(target, at, decoded)) return 'target_ambiguous';
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
 * UTF-8 that is longer than it need be (RFC 3629 §3): what is no character decodes to `.`, `/` or NUL where a host does
 * not look closely (`%c0%ae`, `%e0%80%af`).
 */
function isOverlong(target: string, at: number, first: number): boolean {
  if (first < 0xc0) return false;
  const most = first <= 0xc1 ? 0xbf : first === 0xe0 ? 0x9f : first === 0xf0 ? 0x8f : -1;
  const next = target.charCodeAt(at + 3) === PERCENT ? decodeTriple(target, at + 3) : -1;
  return next >= 0x80 && next <= most;
}

/** As often as a path may be encoded: more than any host decodes, and a bound to the work that a path makes. */
const MAX_DECODINGS = 4;

/** For hosts that decode more than once: `%252e`, `%25252e`, `%25%32%65`. */
function hidesStructure(path: string): boolean {
  let text = path;
  for (let time = 0; time < MAX_DECODINGS; time++) {
    const decoded = text.replace(/%[0-9A-Fa-f]{2}/g, (triple) =>
      String.fromCharCode(decodeTriple(triple, 0)),
    );
    if (decoded === text) return false;
    for (let at = decoded.indexOf('%'); at !== -1; at = decoded.indexOf('%', at + 1)) {
      const code = decodeTriple(decoded, at);
      if (code !== -1 && (isStructural(code) || isOverlong(decoded, at, code))) return true;
    }
    text = decoded;
  }
  return true;
}

/** `.`, `..`, and the same with a parameter (`..;x`), which servlet containers cut off before they resolve. */
function isDotSegment(target: string, from: number, to: number): boolean {
  if (target.charCodeAt(from) !== DOT) return false;
  const next = target.charCodeAt(from + 1) === DOT ? from + 2 : from + 1;
  if (next >= to || target.charCodeAt(next) === SEMICOLON) return true;
  // The same for those that decode before they cut.
  return target.charCodeAt(next) === PERCENT && decodeTriple(target, next) === SEMICOLON;
}
