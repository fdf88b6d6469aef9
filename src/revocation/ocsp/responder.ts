/** Finds the signer of an OCSP response (RFC 6960 §4.2.2.2): the CA itself, or a responder that the CA has delegated. */
import { createHash } from 'node:crypto';
import { type Certificate, parseCertificate } from '../../pki/certificate.ts';
import { readCertificateStructure } from '../../pki/certificate-der.ts';
import { isIssuedBy } from '../../pki/issued.ts';
import { weakKey, weakSignature } from '../../pki/strength.ts';
import { isSignedBy, type Signed, weakAlgorithm } from '../signature.ts';
import type { CheckedResponder } from '../state.ts';
import type { ParsedResponderId } from './response-parser.ts';
import { identityOf, noCheckExtension, ocspSigning } from './structure.ts';

export interface Responder {
  /** The issuer's own, or the delegated responder's. */
  readonly certificate: Certificate;
  readonly delegated: boolean;
  /** The responder's certificate has ocsp-nocheck: its own revocation is not checked (RFC 6960 §4.2.2.2.1). */
  readonly noCheck: boolean;
}

export type ResponderProblem = 'unauthorized_responder' | 'bad_signature' | 'weak_signature';
type FoundResponder =
  | { readonly ok: true; readonly responder: Responder }
  | { readonly ok: false; readonly problem: ResponderProblem; readonly detail: string };

interface ResponderInput {
  readonly signed: Signed;
  /** The signer that the response names. */
  readonly responderId: ParsedResponderId;
  /** DER of the certificates in the response. */
  readonly certificates: readonly Uint8Array[];
  readonly issuer: Certificate;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The signer of a response, if the signature is strong and valid, and the signer is authorized for the issuer. */
export function findResponder(input: ResponderInput): FoundResponder {
  const { signed, issuer, responderId } = input;
  const weak = weakAlgorithm(signed.algorithm);
  if (weak !== null) return { ok: false, problem: 'weak_signature', detail: weak };

  // The named signer only selects the keys to verify with; it is authorized below.
  const named = [issuer, ...input.certificates.flatMap(readCandidate)].filter((candidate) =>
    isNamed(candidate, responderId),
  );
  if (named.length === 0)
    return refuse(
      'the responder that the response names is neither the issuer nor one of the certificates in the response',
    );
  const signers = named.filter(({ x509 }) => isSignedBy(signed, x509));
  const [first] = signers;
  if (first === undefined)
    return { ok: false, problem: 'bad_signature', detail: `not signed by ${named[0]?.subject}` };

  // A response may contain the old and the renewed certificate of one key: one of the two may be valid.
  const certificate = signers.find((signer) => objectionTo(signer, input) === null);
  if (certificate === undefined) return refuse(`${first.subject}: ${objectionTo(first, input)}`);
  const delegated = certificate !== issuer;
  return { ok: true, responder: { certificate, delegated, noCheck: delegated && hasNoCheck(certificate) } };
}

/** The delegated responder whose own revocation has to be checked (§4.2.2.2.1), as plain data; null: none. */
export function checkedResponder({ certificate, delegated, noCheck }: Responder): CheckedResponder | null {
  if (!delegated || noCheck) return null;
  const { subject, tbsSha256, serialOctets, canonicalIssuer, isCa, crlDistributionPoints } = certificate;
  return { subject, tbsSha256, serialOctets, canonicalIssuer, isCa, crlDistributionPoints };
}

function refuse(detail: string): FoundResponder {
  return { ok: false, problem: 'unauthorized_responder', detail };
}

/** Certificates in the response are not signed with it: one that cannot be parsed is ignored. */
function readCandidate(der: Uint8Array): Certificate[] {
  try {
    return [parseCertificate(der)];
  } catch {
    return [];
  }
}

/** Both forms of a ResponderID (§4.2.1): the subject's name, or the SHA-1 of the public key. */
function isNamed(certificate: Certificate, { name, keyHash }: ParsedResponderId): boolean {
  if (name !== null) return certificate.canonicalSubject === name;
  const own = createHash('sha1').update(identityOf(certificate).publicKey).digest();
  return keyHash !== null && own.equals(keyHash);
}

/** Why the signer is not authorized for the issuer; null: it is. */
function objectionTo(signer: Certificate, { issuer, now }: ResponderInput): string | null {
  const weak = weakKey(signer);
  if (weak !== null || signer === issuer) return weak;
  // RFC 6960 §4.2.2.2: issued by the issuer itself, not by another CA.
  if (!isIssuedBy(signer, issuer))
    return 'its certificate was not issued by the CA of the checked certificate';
  const { notBefore, notAfter, keyUsage, extendedKeyUsage, unprocessedCritical } = signer;
  if (now < notBefore || now > notAfter) return 'its certificate is not valid now';
  // RFC 6960 §4.2.2.2: named explicitly; anyExtendedKeyUsage is not enough.
  if (extendedKeyUsage?.includes(ocspSigning) !== true) return 'its extended key usage lacks OCSPSigning';
  if (keyUsage !== null && !keyUsage.has('digitalSignature')) return 'its key usage lacks digitalSignature';
  const unknown = unprocessedCritical.filter((id) => id !== noCheckExtension);
  if (unknown.length > 0)
    return `its certificate has the unsupported critical extension ${unknown.join(', ')}`;
  return weakSignature(signer);
}

function hasNoCheck({ der }: Certificate): boolean {
  return readCertificateStructure(der).extensions.has(noCheckExtension);
}
