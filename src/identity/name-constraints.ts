/** Applies name constraints (RFC 5280 §4.2.1.10, §6.1.3 (b) and (c)): which names a CA may certify below it. */
import type { Certificate } from '../pki/certificate.ts';
import type { ConstrainedName, NameConstraints } from '../pki/name-constraints.ts';

/** Limit for one path, which takes a few milliseconds. Paths of public CAs need less than a thousand. */
const MAX_COMPARISONS = 65_536;

/**
 * `path`: leaf first. Returns the detail of a denial: the CA, the certificate below it, and the kind of its name that the CA
 * may not certify, or that the path needs too many comparisons. null: all names are allowed.
 */
export function findForbiddenName(path: readonly Certificate[]): string | null {
  let comparisons = 0;
  for (const [index, ca] of path.entries()) {
    const { nameConstraints } = ca;
    if (nameConstraints === null) continue;
    const subtrees = nameConstraints.permitted.length + nameConstraints.excluded.length;
    for (const certificate of path.slice(0, index)) {
      const isLeaf = certificate === path[0];
      // Self-issued CA certificates are exempt (RFC 5280 §6.1.3 (b)); a leaf is not.
      if (certificate.isSelfIssued && !isLeaf) continue;
      const names = isLeaf ? [...certificate.names, ...certificate.commonHostNames] : certificate.names;
      comparisons += names.length * subtrees;
      if (comparisons > MAX_COMPARISONS)
        return `${certificate.subject} has ${names.length} names and ${ca.subject} ${subtrees} name constraints: more than ${MAX_COMPARISONS} comparisons on one path`;
      const forbidden = names.find((name) => !allows(nameConstraints, name));
      if (forbidden !== undefined)
        return `${ca.subject} may not certify ${describe(forbidden)} of ${certificate.subject}`;
    }
  }
  return null;
}

/** Without the name itself, which may be long and contain any characters: its kind shows where to look. */
function describe({ kind }: ConstrainedName): string {
  return kind === 'unreadable' ? 'a subject name that cannot be read' : `a ${kind} name`;
}

/** Whether one CA's constraints allow one name. A name or base that cannot be compared reliably is not allowed. */
export function allows({ permitted, excluded }: NameConstraints, name: ConstrainedName): boolean {
  if (name.kind === 'unreadable') return false;
  const ofKind = permitted.filter((base) => isSameKind(base, name));
  // A comparison that is not possible counts as outside the permitted and inside the excluded subtrees.
  return (
    (ofKind.length === 0 || ofKind.some((base) => isWithin(name, base, exactOf) === true)) &&
    excluded.every((base) => !isSameKind(base, name) || isWithin(name, base, canonicalOf) === false)
  );
}

function isSameKind(one: ConstrainedName, other: ConstrainedName): boolean {
  return one.kind === other.kind && (one.kind !== 'other' || one.tag === (other as typeof one).tag);
}

type DirectoryName = ConstrainedName & { readonly kind: 'directory' };
/** For permitted subtrees a name must match as strictly as in OpenSSL; for excluded ones as loosely as in any reader. */
const exactOf = ({ canonical, exact = canonical }: DirectoryName): string => exact;
const canonicalOf = ({ canonical }: DirectoryName): string => canonical;

/** Whether the name is in the subtree of the base, which is of the same kind; null: they cannot be compared. */
function isWithin(
  name: ConstrainedName,
  base: ConstrainedName,
  spelling: (name: DirectoryName) => string,
): boolean | null {
  if (name.kind === 'directory' && base.kind === 'directory')
    return spelling(name).startsWith(spelling(base));
  if (name.kind === 'ip' && base.kind === 'ip') return isInNetwork(name.octets, base.octets);
  if (!isText(name) || !isText(base)) return null;
  const host = hostOf(name);
  if (host === null) return null;
  if (name.kind === 'dns') return isDnsWithin(name.value, host, base);
  return name.kind === 'email' ? isEmailWithin(name.value, host, base) : isHostWithin(host, base);
}

/** An IPv4 address is in no IPv6 network. */
function isInNetwork(address: Uint8Array, network: Uint8Array): boolean | null {
  const { length } = address;
  if ((length !== 4 && length !== 16) || (network.length !== 8 && network.length !== 32)) return null;
  if (network.length !== 2 * length) return false;
  return address.every((octet, at) => ((octet ^ (network[at] ?? 0)) & (network[length + at] ?? 0)) === 0);
}

type TextName = ConstrainedName & { readonly kind: 'dns' | 'email' | 'uri' };

function isText(name: ConstrainedName): name is TextName {
  return name.kind === 'dns' || name.kind === 'email' || name.kind === 'uri';
}

/** The base with zero or more labels before it; a base that begins with a dot needs at least one, as in all readers. */
function isDnsWithin(name: string, host: string, base: TextName): boolean | null {
  if (base.value === '') return true;
  const domain = domainOf(base);
  if (domain === null) return null;
  // A wildcard above the base covers names inside and outside of it.
  const isWildcard = name.length !== host.length;
  if (isWildcard && domain.endsWith(`.${host}`)) return null;
  if (host === domain) return isWildcard || !base.value.startsWith('.');
  return host.endsWith(domain) && host[host.length - domain.length - 1] === '.';
}

/** The base is a mailbox, a host, or with a leading dot a domain; only the local part is case-sensitive (RFC 5280 §7.5). */
function isEmailWithin(name: string, host: string, base: TextName): boolean | null {
  if (!base.value.includes('@')) return isHostWithin(host, base);
  const [mailbox, other] = [splitMailbox(name), splitMailbox(base.value)];
  if (mailbox === null || other === null || other.host.startsWith('.')) return null;
  const domain = domainOf(base);
  return domain === null ? null : host === domain && mailbox.local === other.local;
}

/** Null: no local part of printable ASCII, or a second `@`: readers differ in which one they split at. */
function splitMailbox(address: string): { local: string; host: string } | null {
  const at = address.indexOf('@');
  return /^[!-?A-~]+@[^@]*$/.test(address)
    ? { local: address.slice(0, at), host: address.slice(at + 1) }
    : null;
}

/** The base is that host alone, or with a leading dot every host below it. */
function isHostWithin(host: string, base: TextName): boolean | null {
  const domain = domainOf(base);
  if (domain === null) return null;
  return base.value.startsWith('.') ? host.endsWith(`.${domain}`) : host === domain;
}

/** Each name and each base is parsed once, however many it is compared with. */
const hosts = new WeakMap<TextName, string | null>();
const domains = new WeakMap<TextName, string | null>();

/** The host in a name, of a wildcard without its asterisk; null: none that can be compared. */
function hostOf(name: TextName): string | null {
  const known = hosts.get(name);
  if (known !== undefined) return known;
  const { kind, value } = name;
  const text =
    kind === 'dns'
      ? value.replace(/^\*\./, '')
      : kind === 'uri'
        ? hostOfUri(value)
        : splitMailbox(value)?.host;
  const host = text === undefined ? null : parseHost(text);
  hosts.set(name, host);
  return host;
}

/** The host in a base, of a domain without its dot; null: none that can be compared. */
function domainOf(base: TextName): string | null {
  const known = domains.get(base);
  if (known !== undefined) return known;
  const { kind, value } = base;
  const domain = parseHost((kind === 'email' ? value.replace(/^.*@/s, '') : value).replace(/^\./, ''));
  domains.set(base, domain);
  return domain;
}

/** Without user information, and without a colon or query where OpenSSL would end the host. */
const uriPattern = /^[a-z][a-z0-9+.-]*:\/\/([a-z0-9._-]+)(?::\d{1,5}(?:[/?#][!-~]*)?|\/[!-9;-~]*)?$/i;

/** The host of a URI (RFC 3986 §3.2); empty where there is none, or where readers differ. */
function hostOfUri(uri: string): string {
  return uriPattern.exec(uri)?.[1] ?? '';
}

const hostPattern = /^(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]*[a-z_-][a-z0-9_-]*$/;

/** In lower case; null: not a host name. An IPv4 address is not one. */
function parseHost(name: string): string | null {
  const host = name.toLowerCase();
  return host.length <= 253 && hostPattern.test(host) ? host : null;
}
