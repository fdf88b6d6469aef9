/** Who may answer for a CA (RFC 6960 §4.2.2.2): the CA itself, or a responder that the same key has certified. */
import { createHash } from 'node:crypto';
import { type Certificate, parseCertificate } from '../../pki/certificate.ts';
import { readCertificateStructure } from '../../pki/certificate-structure.ts';
import { isIssuedBy } from '../../pki/issued.ts';
import { weakKey, weakSignature } from '../../pki/strength.ts';
import { isSignedBy, type Signed, weakAlgorithm } from '../signature.ts';
import type { CheckedResponder } from '../state.ts';
import type { StatedResponder } from './response-parser.ts';
import { identityOf, noCheckExtension, ocspSigning } from './structure.ts';

export interface Responder {
  /** The issuer's own, or the delegated responder's. */
  readonly certificate: Certificate;
  readonly delegated: boolean;
  /** The CA asks nobody to check whether this responder's own certificate is revoked (RFC 6960 §4.2.2.2.1). */
  readonly noCheck: boolean;
}

export type ResponderProblem = 'unauthorized_responder' | 'bad_signature' | 'weak_signature';
export type FoundResponder =
  | { readonly ok: true; readonly responder: Responder }
  | { readonly ok: false; readonly problem: ResponderProblem; readonly detail: string };

export interface ResponderClaim {
  readonly signed: Signed;
  /** Who the answer says has signed it. */
  readonly stated: StatedResponder;
  /** DER of the certificates that came with the answer. */
  readonly certificates: readonly Uint8Array[];
  readonly issuer: Certificate;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The signer of an answer, if the signature is strong and its own, and it may speak for the issuer. */
export function findResponder(claim: ResponderClaim): FoundResponder {
  const { signed, issuer, stated } = claim;
  const weak = weakAlgorithm(signed.algorithm);
  if (weak !== null) return { ok: false, problem: 'weak_signature', detail: weak };

  // The answer's own word on who signed it says whose signature to try, and authorizes nobody.
  const named = [issuer, ...claim.certificates.flatMap(readCandidate)].filter((candidate) =>
    isNamed(candidate, stated),
  );
  if (named.length === 0)
    return refuse('the responder that the answer names is neither the issuer nor among its certificates');
  const signers = named.filter(({ x509 }) => isSignedBy(signed, x509));
  const [first] = signers;
  if (first === undefined)
    return { ok: false, problem: 'bad_signature', detail: `not signed by ${named[0]?.subject}` };

  // A responder's old and renewed certificate may come together: one key, and one of the two is good.
  const certificate = signers.find((signer) => objectionTo(signer, claim) === null);
  if (certificate === undefined) return refuse(`${first.subject}: ${objectionTo(first, claim)}`);
  const delegated = certificate !== issuer;
  return { ok: true, responder: { certificate, delegated, noCheck: delegated && hasNoCheck(certificate) } };
}

/** Whose certificate has to be checked itself, as plain data; null: nobody's (§4.2.2.2.1). */
export function checkedResponder({ certificate, delegated, noCheck }: Responder): CheckedResponder | null {
  if (!delegated || noCheck) return null;
  const { subject, tbsSha256, serialOctets, canonicalIssuer, isCa, crlDistributionPoints } = certificate;
  return { subject, tbsSha256, serialOctets, canonicalIssuer, isCa, crlDistributionPoints };
}

function refuse(detail: string): FoundResponder {
  return { ok: false, problem: 'unauthorized_responder', detail };
}

/** What comes along unsigned and cannot be read is as good as absent. */
function readCandidate(der: Uint8Array): Certificate[] {
  try {
    return [parseCertificate(der)];
  } catch {
    return [];
  }
}

/** Both spellings of a ResponderID (§4.2.1): the subject's name, or the SHA-1 of the public key. */
function isNamed(certificate: Certificate, { name, keyHash }: StatedResponder): boolean {
  if (name !== null) return certificate.canonicalSubject === name;
  const own = createHash('sha1').update(identityOf(certificate).publicKey).digest();
  return keyHash !== null && own.equals(keyHash);
}

/** Why the signer may not answer for the issuer; null: it may. */
function objectionTo(signer: Certificate, { issuer, now }: ResponderClaim): string | null {
  const weak = weakKey(signer);
  if (weak !== null || signer === issuer) return weak;
  // By the issuer itself, not by a CA above or beside it (RFC 6960 §4.2.2.2).
  if (!isIssuedBy(signer, issuer)) return 'not issued by the CA of the certificate in question';
  const { notBefore, notAfter, keyUsage, extendedKeyUsage, unprocessedCritical } = signer;
  if (now < notBefore || now > notAfter) return 'not valid now';
  // Named, not covered by anyExtendedKeyUsage (RFC 6960 §4.2.2.2).
  if (extendedKeyUsage?.includes(ocspSigning) !== true) return 'its extended key usage lacks OCSPSigning';
  if (keyUsage !== null && !keyUsage.has('digitalSignature')) return 'its key usage lacks digitalSignature';
  const unknown = unprocessedCritical.filter((id) => id !== noCheckExtension);
  if (unknown.length > 0) return `it has ${unknown.join(', ')}`;
  return weakSignature(signer);
}

function hasNoCheck({ der }: Certificate): boolean {
  return readCertificateStructure(der).extensions.has(noCheckExtension);
}
