/** All classes in which the gateway denies what OpenSSL accepts, as docs/conformance.md lists them. */
import type { DenyReasonName } from '../../../src/identity/deny-reasons.ts';

export interface Disagreement {
  readonly reasons: readonly DenyReasonName[];
  /** The text in the document. */
  readonly what: string;
  readonly detail: RegExp;
  /** Only if a CA below the root names itself as its issuer. */
  readonly belowSelfIssued?: true;
  /**
   * Not visible in the denial, so that denial-class.ts proves it. `sent along`: OpenSSL rejects the leaf too if the client
   * sends no certificate that the anchors lack. `namesakes`: without one of several CAs with one name OpenSSL still accepts
   * the leaf, and then the gateway denies it for a reason of another class.
   */
  readonly proof?: 'sent along' | 'namesakes';
}

const ofPaths: readonly DenyReasonName[] = [
  'untrusted',
  'wrong_purpose',
  'name_constraints',
  'expired',
  'not_yet_valid',
  'weak_key',
  'weak_signature',
];

export const stricter: readonly Disagreement[] = [
  {
    reasons: ['certificate_unreadable'],
    what: 'a leaf that is not DER as RFC 5280 requires',
    detail: /^the certificate of \d+ octets cannot be read: /,
  },
  {
    reasons: ['untrusted'],
    what: 'a root without basicConstraints',
    detail: / signed .*, but is no CA certificate \(basicConstraints\)$/,
  },
  {
    reasons: ['untrusted'],
    what: 'a CA with an extension that is not processed, or with name constraints that RFC 5280 forbids',
    detail: / signed .*, but has extensions that the gateway does not process: /,
  },
  {
    reasons: ['unsupported_extension'],
    what: 'a leaf with a policy extension of CAs, or with a critical extension that only OpenSSL processes',
    detail: /^the leaf has /,
  },
  {
    reasons: ['ca_as_leaf'],
    what: 'a CA’s certificate',
    detail: /^the client presented a CA certificate$/,
  },
  {
    reasons: ['invalid_leaf'],
    what: 'a leaf of version 1 or 2, with name constraints, or with keyCertSign',
    detail:
      /^the leaf is of version [12], |^the leaf has name constraints, |^the leaf’s key usage has keyCertSign, /,
  },
  {
    reasons: ['wrong_purpose'],
    what: 'a leaf’s key usage without digitalSignature, but with keyAgreement',
    detail: /^the leaf’s key usage lacks digitalSignature$/,
  },
  {
    reasons: ['weak_key'],
    what: 'a curve other than P-256, P-384 and P-521',
    detail: / has an EC key on secp256k1$/,
  },
  {
    reasons: ['name_constraints'],
    what: 'a name, or a base of its kind, that cannot be compared reliably',
    detail: / may not certify a/,
  },
  {
    reasons: ofPaths,
    what: 'a fault above a CA that names itself as its issuer',
    detail: /./,
    belowSelfIssued: true,
  },
  {
    reasons: ofPaths,
    what: 'several CAs with one name, each with a fault: OpenSSL uses one whose fault is listed here, the reason is that of another',
    detail: /./,
    proof: 'namesakes',
  },
  {
    reasons: ofPaths,
    what: 'a CA that no anchor holds, and that the client sends along',
    detail: /./,
    proof: 'sent along',
  },
];
