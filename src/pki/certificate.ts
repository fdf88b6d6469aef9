/** The door to X.509: one certificate, parsed strictly, with everything that a judgement asks of it. */
import { createHash, X509Certificate } from 'node:crypto';
import { readCertificateStructure, tbsOf } from './certificate-der.ts';
import { guard, partsOf, unreadable } from './certificate-values.ts';
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
   * Lower hex of the SHA-256 of the TBSCertificate: what is known of a certificate hangs on this. Whoever holds a
   * certificate that is signed with ECDSA can make a second one of it, (r, n − s) beside (r, s), with another `sha256`.
   */
  readonly tbsSha256: string;
  /** Base64 SHA-256 of the SubjectPublicKeyInfo's DER (RFC 7469 §2.4). */
  readonly spkiPin: string;
  /** RFC 4514 string, most specific RDN first. */
  readonly subject: string;
  readonly issuer: string;
  /** The same names in the spelling that makes equal names equal strings (pki/distribution-point.ts). */
  readonly canonicalSubject: string;
  readonly canonicalIssuer: string;
  /** Lower hex, without leading zero octets. */
  readonly serial: string;
  /** The serial's octets as they stand in the certificate, sign included: what a CRL is searched for. */
  readonly serialOctets: Uint8Array;
  /** Milliseconds since the epoch, both ends included. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly organizationalUnits: readonly string[];
  readonly commonNames: readonly string[];
  /** `DNS:…`, `URI:…`, `email:…`, `IP:…`; other kinds of name are left out. */
  readonly sans: readonly string[];
  /** Every name that a name constraint can speak of: the subject, its emailAddresses, the alternative names. */
  readonly names: readonly ConstrainedName[];
  /** Common names that read as host names, where no alternative name is one: DNS constraints bind those of a leaf. */
  readonly commonHostNames: readonly ConstrainedName[];
  /** Subject and issuer are one name (RFC 5280 §3.2); the key need not be its own signer. */
  readonly isSelfIssued: boolean;
  readonly isCa: boolean;
  /** How many intermediates may follow; null: no limit, or no CA. */
  readonly pathLength: number | null;
  /** null: the extension is absent. */
  readonly keyUsage: ReadonlySet<KeyUsageName> | null;
  /** OIDs; null: the extension is absent. */
  readonly extendedKeyUsage: readonly string[] | null;
  /** Netscape's certificate type; null: the extension is absent, or the certificate a CA's. */
  readonly netscapeCertType: NetscapeCertType | null;
  /** null: the extension is absent, or cannot be applied and so is among `unprocessedCritical`. */
  readonly nameConstraints: NameConstraints | null;
  readonly signatureHash: SignatureHash;
  readonly key: CertificateKey;
  /**
   * OIDs of critical extensions that nobody here processes, and of policy rules whether critical or not: RFC 5280
   * §6.1.4 makes the certificate unusable on a path.
   */
  readonly unprocessedCritical: readonly string[];
  /** Where complete CRLs, and where delta CRLs are told of; empty: the extension is absent. */
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
 * The same, but what its extensions and names say is read when it is first asked for, which may throw
 * `CERTIFICATE_UNREADABLE` then: a stranger's certificate is refused by its issuer before anything of it is built.
 */
export function parseHead(der: Uint8Array): Certificate {
  return guard(() => read(Buffer.from(der)));
}

/** Reads what `parseHead` has left. Throws GatewayError `CERTIFICATE_UNREADABLE`. */
export function readRest(certificate: Certificate): void {
  Object.values(certificate);
}

/** `Certificate.tbsSha256` of a certificate that is not read any further. Throws GatewayError `CERTIFICATE_UNREADABLE`. */
export function tbsSha256Of(der: Uint8Array): string {
  return guard(() => sha256Of(tbsOf(der)).toString('hex'));
}

function read(der: Buffer): Certificate {
  const structure = readCertificateStructure(der);
  const x509 = new X509Certificate(der);
  // OpenSSL looks for PEM text anywhere in the bytes first and ignores what follows the DER: both would make
  // it speak of another certificate than the one that is read here.
  if (!x509.raw.equals(der)) throw unreadable('bytes before or after the certificate');

  const { serial, notBefore, notAfter } = structure;
  const digest = sha256Of(der);
  const part = partsOf(structure, x509);
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
      return part.subject();
    },
    get issuer() {
      return part.issuer();
    },
    get canonicalSubject() {
      return part.canonicalSubject();
    },
    get canonicalIssuer() {
      return part.canonicalIssuer();
    },
    get organizationalUnits() {
      return part.organizationalUnits();
    },
    get commonNames() {
      return part.commonNames();
    },
    get sans() {
      return part.sans();
    },
    get names() {
      return part.names();
    },
    get commonHostNames() {
      return part.commonHostNames();
    },
    get isSelfIssued() {
      return part.isSelfIssued();
    },
    get isCa() {
      return part.basic().isCa;
    },
    get pathLength() {
      return part.basic().isCa ? part.basic().pathLength : null;
    },
    get keyUsage() {
      return part.keyUsage();
    },
    get extendedKeyUsage() {
      return part.extendedKeyUsage();
    },
    get netscapeCertType() {
      return part.netscapeCertType();
    },
    get nameConstraints() {
      return part.nameConstraints();
    },
    get key() {
      return part.key();
    },
    get unprocessedCritical() {
      return part.unprocessedCritical();
    },
    get crlDistributionPoints() {
      return part.crlDistributionPoints();
    },
    get freshestCrl() {
      return part.freshestCrl();
    },
    get ocspUrls() {
      return part.ocspUrls();
    },
  };
}

function sha256Of(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
