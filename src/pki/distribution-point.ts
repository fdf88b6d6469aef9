/** Revocation addresses of a certificate: CRL distribution points (RFC 5280 §4.2.1.13), OCSP responders (§4.2.2.1). */
import { isUtf8 } from 'node:buffer';
import { DerCursor, DerError, derElement, openSequence, tags } from './der-cursor.ts';
import { canonicalName, type DistinguishedName, readName } from './distinguished-name.ts';
import { directoriesAmong, directory } from './general-name-text.ts';

export interface DistributionPoint {
  /** Its names as `readGeneralNames` returns them, a relative name completed; null: it has none. */
  readonly names: readonly string[] | null;
  /** The URIs among them, unchanged. */
  readonly urls: readonly string[];
  /** ReasonFlags as a mask, keyCompromise = 2; null: all. */
  readonly reasons: number | null;
  /** Names of the CRL's signer if it is not the issuer; null: the issuer signs it. */
  readonly crlIssuers: readonly string[] | null;
}

/** GeneralName tags (RFC 5280 §4.2.1.6); all implicit except directoryName. */
const uniformResourceIdentifier = 0x86;
const directoryName = 0xa4;

/** A name as one string: equal names are equal strings. A relative name is completed by appending its string. */
export function canonicalText(name: DistinguishedName): string {
  return canonicalName(name).join('');
}

/** The same for the DER of a Name. Throws DerError. */
export function readCanonicalText(der: Uint8Array): string {
  return canonicalText(readName(der));
}

/** Each name as `tag:contents`, both in lower hex; a directory name as canonical text, others octet by octet. */
export function readGeneralNames(contents: Uint8Array): string[] {
  const cursor = new DerCursor(contents);
  const names: string[] = [];
  while (cursor.at < contents.length) {
    cursor.read(contents.length);
    const { tag } = cursor;
    if ((tag & 0xc0) !== 0x80 || (tag & 0x1f) > 8) throw new DerError(`not a general name: tag ${tag}`);
    const value = cursor.contents();
    names.push(
      tag === directoryName
        ? directory(readCanonicalText(value))
        : `${tag.toString(16)}:${Buffer.from(value).toString('hex')}`,
    );
  }
  if (names.length === 0) throw new DerError('general names without a name');
  return names;
}

/** Whether two names of `readGeneralNames` are equal; scheme and host of a URI ignore case (RFC 5280 §7.4). */
export function isSameName(one: string, other: string): boolean {
  return one === other || (isUri(one) && isUri(other) && comparable(one) === comparable(other));
}

const uriTag = `${uniformResourceIdentifier.toString(16)}:`;

function isUri(name: string): boolean {
  return name.startsWith(uriTag);
}

function comparable(name: string): string {
  const uri = Buffer.from(name.slice(uriTag.length), 'hex').toString('latin1');
  return uri.replace(/^[^:/?#]*:(?:\/\/[^/?#]*)?/, lowerHost);
}

/** `start`: scheme and authority; only the user information is case-sensitive (RFC 3986 §6.2.2.1). */
function lowerHost(start: string): string {
  const at = start.lastIndexOf('@') + 1;
  const scheme = start.indexOf(':') + 1;
  return (
    start.slice(0, scheme).toLowerCase() +
    (at > scheme ? start.slice(scheme, at) : '') +
    start.slice(Math.max(at, scheme)).toLowerCase()
  );
}

/** URIs unchanged, also invalid ones: revocation/addresses.ts reports and skips them. */
function urlsAmong(names: readonly string[]): string[] {
  return names
    .filter((name) => name.startsWith(`${uniformResourceIdentifier.toString(16)}:`))
    .map((name) => Buffer.from(name.slice(3), 'hex'))
    .map((octets) => octets.toString(isUtf8(octets) ? 'utf8' : 'latin1'));
}

/** The contents of a DistributionPointName; a relative name is appended to the name of the CRL's issuer. */
export function readPointName(contents: Uint8Array, crlIssuer: string | null): string[] {
  const cursor = new DerCursor(contents);
  cursor.read(contents.length);
  cursor.close(contents.length);
  const value = cursor.contents();
  if (cursor.tag === 0xa0) return readGeneralNames(value);
  if (cursor.tag !== 0xa1) throw new DerError(`not a distribution point name: tag ${cursor.tag}`);
  if (crlIssuer === null) throw new DerError('a relative name with more than one CRL issuer');
  const relative = derElement(tags.sequence, derElement(tags.set, value));
  return [directory(crlIssuer + readCanonicalText(relative))];
}

/** The value of a cRLDistributionPoints or freshestCRL extension; `issuer`: canonical name. Throws DerError. */
export function readDistributionPoints(value: Uint8Array, issuer: string): DistributionPoint[] {
  const cursor = openSequence(value);
  const points: DistributionPoint[] = [];
  while (cursor.at < value.length) points.push(readPoint(cursor, issuer));
  return points;
}

function readPoint(cursor: DerCursor, issuer: string): DistributionPoint {
  cursor.open(cursor.bytes.length, tags.sequence);
  const { end } = cursor;
  let name: Uint8Array | null = null;
  if (cursor.peek(end) === 0xa0) {
    cursor.read(end);
    name = cursor.contents();
  }
  const reasons = cursor.peek(end) === 0x81 ? cursor.readNamedBits(end, 0x81) : null;
  let crlIssuers: string[] | null = null;
  if (cursor.peek(end) === 0xa2) {
    cursor.read(end);
    crlIssuers = readGeneralNames(cursor.contents());
  }
  cursor.close(end);
  const names = name === null ? null : readPointName(name, baseOf(crlIssuers, issuer));
  return { names, urls: urlsAmong(names ?? []), reasons, crlIssuers };
}

/** The name that a relative name completes; null: the CRL issuer has several (RFC 5280 §4.2.1.13 forbids that). */
function baseOf(crlIssuers: readonly string[] | null, issuer: string): string | null {
  const [first, ...more] = crlIssuers === null ? [issuer] : directoriesAmong(crlIssuers);
  return first === undefined || more.length > 0 ? null : first;
}

const idAdOcsp = '2b06010505073001';
const idAdCaIssuers = '2b06010505073002';

/** The URIs of OCSP responders, of any scheme, in the value of an authorityInfoAccess extension. Throws DerError. */
export function readOcspUrls(value: Uint8Array): string[] {
  return readAccessUrls(value, idAdOcsp);
}

/** The same for the addresses of the issuer's certificate (caIssuers, RFC 5280 §4.2.2.1). */
export function readIssuerUrls(value: Uint8Array): string[] {
  return readAccessUrls(value, idAdCaIssuers);
}

function readAccessUrls(value: Uint8Array, method: string): string[] {
  const cursor = openSequence(value);
  const names: string[] = [];
  while (cursor.at < value.length) {
    cursor.open(value.length, tags.sequence);
    const { end } = cursor;
    cursor.read(end, tags.oid);
    const isWanted = Buffer.from(cursor.contents()).toString('hex') === method;
    const location = cursor.element(end);
    cursor.close(end);
    if (isWanted) names.push(...readGeneralNames(location));
  }
  return urlsAmong(names);
}
