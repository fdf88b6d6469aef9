/** The formats of fields: addresses, ports, ranges, URLs, pins, thumbprints, route paths. */
import { parseAddress, parseRange } from '../../source/address.ts';
import { count, formatted, parsePath } from './field-types.ts';

export const address = formatted({
  allowed: 'an IP address in its plain spelling, such as 127.0.0.1 or ::1',
  pattern: /^[0-9A-Fa-f:.]+$/,
  parse: (text) => (parseAddress(text) === null ? undefined : text),
});

export const port = count(0, 65_535);

/** After parsing lower case, without a final dot. */
export const hostName = formatted({
  allowed: 'a host name without port, such as gateway-admin.example.com',
  pattern:
    /^(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.?$/,
  parse: (text) => (text.length > 253 ? undefined : text.toLowerCase().replace(/\.$/, '')),
});

const octet = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';

export const range = formatted({
  allowed: 'an IP address, or a range in CIDR notation without host bits, such as 203.0.113.0/24',
  pattern: new RegExp(
    `^(?:(?:${octet}\\.){3}${octet}(?:/(?:3[0-2]|[12]?\\d))?|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+(?:/\\d{1,3})?)$`,
  ),
  parse: (text) => (parseRange(text) === null ? undefined : text),
});

/** Names are also metric labels and file names in `trust.cacheDir`. */
export const anchorName = formatted({
  allowed: 'up to 64 letters, digits, ".", "_" and "-", a letter or digit first',
  pattern: /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
});

export const anchorUrl = formatted({
  allowed: 'an https:// URL without credentials and fragment',
  pattern: /^https:\/\/[^\s\\#]+$/,
  parse: (text) => (isPlainUrl(text, ['https']) ? text : undefined),
});

/** A path is required: a URL without one usually lacks the /v1/traces of the collector. */
export const collectorUrl = formatted({
  allowed:
    'an http:// or https:// URL with its path, without credentials and fragment, such as http://127.0.0.1:4318/v1/traces',
  pattern: /^https?:\/\/[^\s\\#]+$/,
  parse: (text) => (isPlainUrl(text, ['http', 'https']) && new URL(text).pathname !== '/' ? text : undefined),
});

/** CRLs and OCSP responses are signed, so plain HTTP is allowed, as RFC 5280 §8 recommends. */
const signedUrl = 'an http:// or https:// URL without credentials and fragment';

/** A URL, or a path, absolute after parsing. A path that starts like a URL must be written with `./`. */
export function crlSource(folder: string) {
  return formatted({
    allowed: `${signedUrl}, or the path of a file`,
    parse: (text) => {
      if (/^[a-z][a-z0-9+.-]*:/i.test(text)) return isPlainUrl(text, ['http', 'https']) ? text : undefined;
      return parsePath(folder, text);
    },
  });
}

export const ocspSource = formatted({
  allowed: `auto, off, or ${signedUrl}`,
  pattern: /^(?:auto|off|https?:\/\/[^\s\\#]+)$/,
  parse: (text) =>
    text === 'auto' || text === 'off' || isPlainUrl(text, ['http', 'https']) ? text : undefined,
});

function isPlainUrl(text: string, schemes: readonly string[]): boolean {
  if (!schemes.some((scheme) => text.startsWith(`${scheme}://`)) || /[\s\\]/.test(text)) return false;
  if (!URL.canParse(text)) return false;
  // The parsed fragment is empty for a `#` at the end of the text.
  const { username, password } = new URL(text);
  return username === '' && password === '' && !text.includes('#');
}

const hexDigest = /^[0-9A-Fa-f]{2}(?::?[0-9A-Fa-f]{2}){31}$/;

/** After parsing lower-case hex without colons. */
export const rootSha256 = formatted({
  allowed: 'the SHA-256 of the root’s DER: 64 hex digits, colons allowed',
  pattern: hexDigest,
  parse: (text) => text.replaceAll(':', '').toLowerCase(),
});

/** After parsing the Base64 without `sha256/`. */
export const pin = formatted({
  allowed: 'sha256/ and the Base64 of a SHA-256 of a public key (SPKI), 44 characters',
  pattern: /^sha256\/[A-Za-z0-9+/]{43}=$/,
  parse: (text) => canonical(text.slice('sha256/'.length), 'base64'),
});

export const thumbprint = formatted({
  allowed:
    'the SHA-256 of the leaf’s DER: base64url (x5t#S256, 43 characters) or 64 hex digits, colons allowed',
  pattern: /^(?:[\w-]{43}|[0-9A-Fa-f]{2}(?::?[0-9A-Fa-f]{2}){31})$/,
  parse: (text) => (hexDigest.test(text) ? text : canonical(text, 'base64url')),
});

export const san = formatted({
  allowed: 'DNS:, URI:, email: or IP:, followed by the name',
  pattern: /^(?:DNS|URI|email|IP):\S+$/,
  parse: (text) => {
    const [, kind, name] = /^(DNS|URI|email|IP):(\S+)$/.exec(text) ?? [];
    if (name === undefined || (kind === 'IP' && parseAddress(name) === null)) return undefined;
    return text;
  },
});

/**
 * Whole segments of unreserved characters, sub-delimiters, `:` and `@` (RFC 3986 §3.3). Percent-encoding is not
 * allowed: some implementations treat `%41` and `A` as the same path and others do not.
 */
export const routePath = formatted({
  allowed: 'a path such as / or /ehi/v1: no empty, "." or ".." segment, no "%", no "/" at its end',
  // No lookahead: the chart's values.schema.json has this pattern, and Go's regular expressions do not support it.
  pattern:
    /^(?:\/|(?:\/(?:[\w~!$&'()*+,;=:@-]|\.[\w~!$&'()*+,;=:@-]|\.\.[\w.~!$&'()*+,;=:@-])[\w.~!$&'()*+,;=:@-]*)+)$/,
});

/** The text, if the unused bits of its last character are 0, so that equal digests are equal texts. */
function canonical(text: string, encoding: 'base64' | 'base64url'): string | undefined {
  return Buffer.from(text, encoding).toString(encoding) === text ? text : undefined;
}
