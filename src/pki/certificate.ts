/** One X.509 certificate, parsed strictly, with all fields that path validation and policy use. Start reading here. */
import { createHash, X509Certificate } from 'node:crypto';
import { readCertificateStructure, tbsOf } from './certificate-der.ts';
import { guard, lazyValues, unreadable } from './certificate-values.ts';
import type { DistributionPoint } from './distribution-point.ts';
import type { KeyUsageName, NetscapeCertType } from './extension-decoders.ts';
import type { CertificateKey } from './key.ts';
import type { ConstrainedName, NameConstraints } from './name-constraints.ts';
import { serialHex } from './serial.ts';
import { type SignatureHash, signatureHashOf } from './signature.ts';

export { unreadable } from './certificate-values.ts';
export type { KeyUsageName } from './extension-decoders.ts';

export interface Certificate {
  readonly x509: X509Certificate;
  readonly der: Buffer;
  /** 1, 2 or 3: extensions need 3 (RFC 5280 §4.1.2.1). */
  readonly version: number;
  /** Lower hex of the SHA-256 of the DER. */
  readonly sha256: string;
  /** Base64url of the same: `x5t#S256` (RFC 8705 §3.1). */
  readonly thumbprint: string;
  /**
   * Lower hex of the SHA-256 of the TBSCertificate; identifies a certificate for revocation and caches. The holder of a
   * certificate signed with ECDSA can make a second one from it, (r, n − s) from (r, s), with another `sha256`.
   */
  readonly tbsSha256: string;
  /** Base64 SHA-256 of the SubjectPublicKeyInfo's DER (RFC 7469 §2.4). */
  readonly spkiPin: string;
  /** RFC 4514 string, most specific RDN first. */
  readonly subject: string;
  readonly issuer: string;
  /** The same names as canonical text: equal names are equal strings (distribution-point.ts). */
  readonly canonicalSubject: string;
  readonly canonicalIssuer: string;
  /** Lower hex, without leading zero octets. */
  readonly serial: string;
  /** The octets of the serial as in the certificate, sign included: the key of a CRL search. */
  readonly serialOctets: Uint8Array;
  /** Milliseconds since the epoch, both ends included. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly organizationalUnits: readonly string[];
  readonly commonNames: readonly string[];
  /** `DNS:…`, `URI:…`, `email:…`, `IP:…`; other kinds of name are left out. */
  readonly sans: readonly string[];
  /** All names that name constraints apply to: the subject, its emailAddresses, the alternative names. */
  readonly names: readonly ConstrainedName[];
  /** Common names that look like host names, if no alternative name is a DNS name; DNS constraints apply to a leaf's. */
  readonly commonHostNames: readonly ConstrainedName[];
  /** Subject and issuer are the same name (RFC 5280 §3.2); another key may have signed it. */
  readonly isSelfIssued: boolean;
  readonly isCa: boolean;
  /**
   * A CA of which OpenSSL cannot parse an extension, also one that is not decoded here: OpenSSL never builds a path over it.
   * Only for a CA whose key usage, if there is one, has keyCertSign.
   */
  readonly isMalformedCa: boolean;
  /** Maximum number of intermediates below; null: no limit, or not a CA. */
  readonly pathLength: number | null;
  /** null: the extension is absent. */
  readonly keyUsage: ReadonlySet<KeyUsageName> | null;
  /** OIDs; null: the extension is absent. */
  readonly extendedKeyUsage: readonly string[] | null;
  /** The Netscape certificate type; null: the extension is absent, or the certificate is a CA's. */
  readonly netscapeCertType: NetscapeCertType | null;
  /** null: the extension is absent, or cannot be applied and so is among `unprocessedCritical`. */
  readonly nameConstraints: NameConstraints | null;
  readonly signatureHash: SignatureHash;
  readonly key: CertificateKey;
  /**
   * OIDs of critical extensions that are not processed, and of restricting ones even if not critical
   * (certificate-values.ts): the certificate is unusable on a path (RFC 5280 §6.1.4).
   */
  readonly unprocessedCritical: readonly string[];
  /** Distribution points of complete CRLs, and of delta CRLs; empty: the extension is absent. */
  readonly crlDistributionPoints: readonly DistributionPoint[];
  readonly freshestCrl: readonly DistributionPoint[];
  /** URIs of OCSP responders (authorityInfoAccess). */
  readonly ocspUrls: readonly string[];
}

/**
 * Reads one DER certificate (RFC 5280 §4.1), all of it.
 * Throws GatewayError `CERTIFICATE_UNREADABLE`; the message never repeats the input.
 */
export function parseCertificate(der: Uint8Array): Certificate {
  const certificate = parseHead(der);
  readRest(certificate);
  return certificate;
}

/**
 * The same, but names and extensions are decoded on first use, which may throw `CERTIFICATE_UNREADABLE`: an untrusted
 * certificate is refused for its issuer before anything else of it is decoded.
 */
export function parseHead(der: Uint8Array): Certificate {
  return guard(() => read(Buffer.from(der)));
}

/** Decodes what `parseHead` left. Throws GatewayError `CERTIFICATE_UNREADABLE`. */
export function readRest(certificate: Certificate): void {
  Object.values(certificate);
}

/** `Certificate.tbsSha256` without parsing the rest. Throws GatewayError `CERTIFICATE_UNREADABLE`. */
export function tbsSha256Of(der: Uint8Array): string {
  return guard(() => sha256Of(tbsOf(der)).toString('hex'));
}

function read(der: Buffer): Certificate {
  const structure = readCertificateStructure(der);
  const x509 = new X509Certificate(der);
  // OpenSSL first looks for PEM text anywhere in the bytes, and ignores bytes after the DER: both could make it parse
  // another certificate than this parser.
  if (!x509.raw.equals(der)) throw unreadable('bytes before or after the certificate');

  const { serial, notBefore, notAfter } = structure;
  const digest = sha256Of(der);
  const values = lazyValues(structure, x509);
  return {
    x509,
    der,
    version: structure.version + 1,
    sha256: digest.toString('hex'),
    thumbprint: digest.toString('base64url'),
    tbsSha256: sha256Of(structure.tbs).toString('hex'),
    spkiPin: sha256Of(structure.publicKeyInfo).toString('base64'),
    serial: serialHex(serial),
    serialOctets: new Uint8Array(serial),
    notBefore,
    notAfter,
    signatureHash: signatureHashOf(structure.signatureAlgorithm),
    get subject() {
      return values.subject();
    },
    get issuer() {
      return values.issuer();
    },
    get canonicalSubject() {
      return values.canonicalSubject();
    },
    get canonicalIssuer() {
      return values.canonicalIssuer();
    },
    get organizationalUnits() {
      return values.organizationalUnits();
    },
    get commonNames() {
      return values.commonNames();
    },
    get sans() {
      return values.sans();
    },
    get names() {
      return values.names();
    },
    get commonHostNames() {
      return values.commonHostNames();
    },
    get isSelfIssued() {
      return values.isSelfIssued();
    },
    get isCa() {
      return values.basic().isCa;
    },
    get isMalformedCa() {
      return values.basic().isCa && values.keyUsage()?.has('keyCertSign') !== false && !x509.ca;
    },
    get pathLength() {
      return values.basic().isCa ? values.basic().pathLength : null;
    },
    get keyUsage() {
      return values.keyUsage();
    },
    get extendedKeyUsage() {
      return values.extendedKeyUsage();
    },
    get netscapeCertType() {
      return values.netscapeCertType();
    },
    get nameConstraints() {
      return values.nameConstraints();
    },
    get key() {
      return values.key();
    },
    get unprocessedCritical() {
      return values.unprocessedCritical();
    },
    get crlDistributionPoints() {
      return values.crlDistributionPoints();
    },
    get freshestCrl() {
      return values.freshestCrl();
    },
    get ocspUrls() {
      return values.ocspUrls();
    },
  };
}

function sha256Of(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
