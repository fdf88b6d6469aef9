/** What is known about the revocations of a trust anchor, as plain data: a part of the policy snapshot. */
import type { Certificate } from '../pki/certificate.ts';
import type { CrlSnapshot } from './crl/crl.ts';

/** `trust.anchors[].revocation`; times in milliseconds. */
export interface RevocationPolicy {
  /** `auto`: the distribution points in the certificates; a list: these URLs and absolute paths only. */
  readonly crl: 'auto' | 'off' | readonly string[];
  /** `auto`: the responders in the certificates; otherwise the URL of the responder for all certificates. */
  readonly ocsp: 'auto' | 'off' | (string & {});
  /** `chain`: the CAs between leaf and root are checked too. */
  readonly scope: 'leaf' | 'chain';
  readonly onUnknown: 'deny' | 'allow';
  /** Grace period: how long a CRL or an OCSP response is still used after it has expired. */
  readonly grace: number;
  /** How long the handshake of a new leaf waits for the first answer about it. */
  readonly firstContact: number;
  /** Interval between fetches; a fetch comes earlier when the data expires before that. */
  readonly refresh: number;
}

/** A trust anchor as it is configured and trusted now. */
export interface RevocationAnchor {
  readonly name: string;
  /** The root first. */
  readonly certificates: readonly [Certificate, ...Certificate[]];
  readonly policy: RevocationPolicy;
  /** PEM of the CAs that HTTPS servers are verified with, instead of Node's own. */
  readonly tlsCa?: Buffer | undefined;
}

/** The status of one certificate by its OCSP responder. */
export interface OcspResult {
  /** `tbsSha256` of the certificate. */
  readonly certificate: string;
  /** `failed`: no usable response so far; after a good response later failures do not change the status. */
  readonly status: 'good' | 'revoked' | 'unknown' | 'failed';
  /** End of validity of `good` without grace, ms since the epoch; 0 for the others. */
  readonly freshUntil: number;
  /** The responder that answered; of `failed` those that were queried. */
  readonly address: string;
  /** For people: when and why the certificate was revoked, or why there is no response. */
  readonly detail: string;
  /** For people: why no newer response came after a good one expired; null: it has not expired, or no failure. */
  readonly problem: string | null;
  /** The delegated responder that signed, if its own revocation has to be checked; otherwise null. */
  readonly responder: CheckedResponder | null;
}

/** State of a CRL address, for the detail of a denial; the decision uses `crls` alone. */
export interface CrlSourceStatus {
  /** URL or path. */
  readonly address: string;
  /** SHA-256 of the CRL in use from this address; null: none. */
  readonly crl: string | null;
  /** Why the last attempt failed, if no CRL is in use or the one in use has expired; otherwise null. */
  readonly problem: string | null;
}

/** A delegated responder without ocsp-nocheck (RFC 6960 §4.2.2.2.1): what CRLs are searched with. */
export type CheckedResponder = Pick<
  Certificate,
  'subject' | 'tbsSha256' | 'serialOctets' | 'canonicalIssuer' | 'isCa' | 'crlDistributionPoints'
>;

/** What is known about one trust anchor. Immutable: a change makes a new object. */
export interface RevocationMaterial {
  readonly policy: RevocationPolicy;
  /** CRLs in use. */
  readonly crls: readonly CrlSnapshot[];
  /** Verified CRLs that are not in use: they revoke the certificates that they list, and show none to be good. */
  readonly revokeOnly: readonly CrlSnapshot[];
  readonly crlSources: readonly CrlSourceStatus[];
  readonly ocsp: readonly OcspResult[];
  /** `tbsSha256` of the leaves that are already tracked: they need no first contact. */
  readonly leaves: readonly string[];
}

/** Compares CRLs and OCSP results by identity; the order of leaves does not matter. */
export function isSameMaterial(one: RevocationMaterial, other: RevocationMaterial): boolean {
  const leaves = new Set(other.leaves);
  return (
    JSON.stringify(one.policy) === JSON.stringify(other.policy) &&
    one.leaves.length === other.leaves.length &&
    one.leaves.every((leaf) => leaves.has(leaf)) &&
    haveSame(one.crls, other.crls) &&
    JSON.stringify(one.crlSources) === JSON.stringify(other.crlSources) &&
    haveSame(one.revokeOnly, other.revokeOnly) &&
    haveSame(one.ocsp, other.ocsp)
  );
}

function haveSame<T>(some: readonly T[], others: readonly T[]): boolean {
  return some.length === others.length && some.every((each, index) => each === others[index]);
}
