/** Name constraints (RFC 5280 §4.2.1.10, §6.1.3 (b) and (c)): which names the CAs of a path may certify below them. */
import type { Certificate } from '../pki/certificate.ts';
import type { ConstrainedName, NameConstraints } from '../pki/name-constraints.ts';

/** `path`: leaf first. Null: every name is allowed by every CA above it; else who certified what, in one phrase. */
export function findForbiddenName(path: readonly Certificate[]): string | null {
  for (const [index, ca] of path.entries()) {
    const { nameConstraints } = ca;
    if (nameConstraints === null) continue;
    for (const certificate of path.slice(0, index)) {
      // A CA certifies its own new key under its own name; only the leaf's is a name that somebody claims.
      if (certificate.isSelfIssued && certificate !== path[0]) continue;
      const forbidden = certificate.names.find((name) => !allows(nameConstraints, name));
      if (forbidden !== undefined)
        return `${ca.subject} may not certify a ${forbidden.kind} name of ${certificate.subject}`;
    }
  }
  return null;
}

/** One CA's word on one name. What cannot be compared for certain, on either side, is not allowed. */
export function allows({ permitted, excluded }: NameConstraints, name: ConstrainedName): boolean {
  const ofKind = permitted.filter((base) => isSameKind(base, name));
  const notOfKind = excluded.filter((base) => isSameKind(base, name));
  // What nobody can say counts as outside the permitted and inside the excluded.
  return (
    (ofKind.length === 0 || ofKind.some((base) => isWithin(name, base) === true)) &&
    notOfKind.every((base) => isWithin(name, base) === false)
  );
}

function isSameKind(one: ConstrainedName, other: ConstrainedName): boolean {
  return one.kind === other.kind && (one.kind !== 'other' || one.tag === (other as typeof one).tag);
}

/** Whether the name lies in the subtree of the base, which is of its kind; null: nobody can say. */
function isWithin(name: ConstrainedName, base: ConstrainedName): boolean | null {
  if (name.kind === 'directory' && base.kind === 'directory')
    return name.canonical.startsWith(base.canonical);
  if (name.kind === 'ip' && base.kind === 'ip') return isInNetwork(name.octets, base.octets);
  if (name.kind === 'dns' && base.kind === 'dns') return isDnsWithin(name.value, base.value);
  if (name.kind === 'email' && base.kind === 'email') return isEmailWithin(name.value, base.value);
  if (name.kind === 'uri' && base.kind === 'uri') return isHostWithin(hostOfUri(name.value), base.value);
  return null;
}

/** An IPv4 address lies in no IPv6 network. */
function isInNetwork(address: Uint8Array, network: Uint8Array): boolean | null {
  const { length } = address;
  if ((length !== 4 && length !== 16) || (network.length !== 8 && network.length !== 32)) return null;
  if (network.length !== 2 * length) return false;
  return address.every((octet, at) => ((octet ^ (network[at] ?? 0)) & (network[length + at] ?? 0)) === 0);
}

/** Zero or more labels in front of the base; a base that begins with a dot wants one, as everybody reads it. */
function isDnsWithin(name: string, base: string): boolean | null {
  const host = parseHost(name.replace(/^\*\./, ''));
  if (host === null) return null;
  if (base === '') return true;
  const domain = parseHost(base.replace(/^\./, ''));
  if (domain === null) return null;
  const full = name.toLowerCase();
  // A wildcard above the base stands for names on both sides.
  if (full !== host && domain.endsWith(`.${host}`)) return null;
  return full.endsWith(`.${domain}`) || (full === domain && !base.startsWith('.'));
}

/** A mailbox, a host, or with a dot in front a domain of hosts; the local part alone knows case (RFC 5280 §7.5). */
function isEmailWithin(name: string, base: string): boolean | null {
  const mailbox = splitMailbox(name);
  if (mailbox === null) return null;
  if (!base.includes('@')) return isHostWithin(mailbox.host, base);
  const other = splitMailbox(base);
  if (other === null || other.host.startsWith('.')) return null;
  const sameHost = isHostWithin(mailbox.host, other.host);
  return sameHost && mailbox.local === other.local;
}

function splitMailbox(address: string): { local: string; host: string } | null {
  const at = address.lastIndexOf('@');
  return at < 1 ? null : { local: address.slice(0, at), host: address.slice(at + 1) };
}

/** `base`: that host alone, or with a dot in front every host below. */
function isHostWithin(name: string, base: string): boolean | null {
  const host = parseHost(name);
  const domain = parseHost(base.replace(/^\./, ''));
  if (host === null || domain === null) return null;
  return base.startsWith('.') ? host.endsWith(`.${domain}`) : host === domain;
}

const uriPattern =
  /^[a-z][a-z0-9+.-]*:\/\/(?:[a-z0-9._~!$&'()*+,;=:%-]*@)?([a-z0-9._-]+)(?::\d*)?(?:[/?#]|$)/i;

/** The host of a URI (RFC 3986 §3.2); empty where there is none, and for what readers might read differently. */
function hostOfUri(uri: string): string {
  return uriPattern.exec(uri)?.[1] ?? '';
}

const hostPattern = /^(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]*[a-z_-][a-z0-9_-]*$/;

/** In lower case; null: no host name, an IPv4 address being none either. */
function parseHost(name: string): string | null {
  const host = name.toLowerCase();
  return host.length <= 253 && hostPattern.test(host) ? host : null;
}
