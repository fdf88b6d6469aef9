/** What is known of an anchor's revocations, as plain data: the part of the policy snapshot that decides on it. */
import type { Certificate } from '../pki/certificate.ts';
import type { CrlSnapshot } from './crl/crl.ts';

/** `trust.anchors[].revocation`; times in milliseconds. */
export interface RevocationPolicy {
  /** `auto`: the certificates' own distribution points; a list: these URLs and absolute paths, and no others. */
  readonly crl: 'auto' | 'off' | readonly string[];
  /** `auto`: the certificates' own responders; else the URL of the one to ask about all of them. */
  readonly ocsp: 'auto' | 'off' | (string & {});
  /** Whether the CAs between leaf and root are asked about too. */
  readonly scope: 'leaf' | 'chain';
  readonly onUnknown: 'deny' | 'allow';
  /** How long a CRL or an OCSP answer is still believed after its end. */
  readonly grace: number;
  /** How long the handshake of a leaf that was never seen waits for its first answer. */
  readonly firstContact: number;
  /** CRLs and OCSP answers are asked for again after this, sooner when they end before. */
  readonly refresh: number;
}

/** The last word of an OCSP responder on one certificate. */
export interface OcspFact {
  /** `tbsSha256` of the certificate. */
  readonly certificate: string;
  /** `failed`: asked, and never yet answered in a way that counts; a good answer outlives later failures. */
  readonly status: 'good' | 'revoked' | 'unknown' | 'failed';
  /** Until when `good` counts without grace, ms since the epoch; 0 for the others. */
  readonly freshUntil: number;
  /** The responder that has answered; of `failed` those that were asked. */
  readonly address: string;
  /** For people: when and why it was revoked, or why there is no answer. */
  readonly detail: string;
  /** For people: why no newer answer has come, once the good one has ended; null: it has not, or nothing is wrong. */
  readonly problem: string | null;
  /** Who signed the answer in the CA's stead, where its own certificate has to be checked; null: nobody is to be. */
  readonly responder: CheckedResponder | null;
}

/** How the address of a CRL stands: for the words of a denial, which decides by `crls` alone. */
export interface CrlOrigin {
  /** URL or path. */
  readonly address: string;
  /** SHA-256 of the CRL that is in use from there; null: none is. */
  readonly crl: string | null;
  /** What was wrong with the last attempt, where no CRL is in use, or one that has ended; null: nothing. */
  readonly problem: string | null;
}

/** A delegated responder without ocsp-nocheck (RFC 6960 §4.2.2.2.1): the part of its certificate that CRLs are asked about. */
export type CheckedResponder = Pick<
  Certificate,
  'subject' | 'tbsSha256' | 'serialOctets' | 'canonicalIssuer' | 'isCa' | 'crlDistributionPoints'
>;

/** Of one anchor. Immutable: what changes is made anew. */
export interface RevocationMaterial {
  readonly policy: RevocationPolicy;
  readonly crls: readonly CrlSnapshot[];
  readonly origins: readonly CrlOrigin[];
  /** Sound CRLs that are not in use: what they revoke counts, that they revoke nothing does not. */
  readonly aside: readonly CrlSnapshot[];
  readonly ocsp: readonly OcspFact[];
  /** `tbsSha256` of the leaves that are already looked after: nobody need tell of them again. */
  readonly leaves: readonly string[];
}

/** CRLs and facts that have not changed are the same objects; the order in which leaves were met says nothing. */
export function isSameMaterial(one: RevocationMaterial, other: RevocationMaterial): boolean {
  const leaves = new Set(other.leaves);
  return (
    JSON.stringify(one.policy) === JSON.stringify(other.policy) &&
    one.leaves.length === other.leaves.length &&
    one.leaves.every((leaf) => leaves.has(leaf)) &&
    haveSame(one.crls, other.crls) &&
    JSON.stringify(one.origins) === JSON.stringify(other.origins) &&
    haveSame(one.aside, other.aside) &&
    haveSame(one.ocsp, other.ocsp)
  );
}

function haveSame<T>(some: readonly T[], others: readonly T[]): boolean {
  return some.length === others.length && some.every((each, index) => each === others[index]);
}
