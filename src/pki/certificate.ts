/** The door to X.509: one certificate, parsed strictly, with everything that a judgement asks of it. */
import { createHash, X509Certificate } from 'node:crypto';
import { AsnConvert } from '@peculiar/asn1-schema';
import {
  BasicConstraints,
  ExtendedKeyUsage,
  type Extension,
  type GeneralName,
  KeyUsage,
  SubjectAlternativeName,
  Certificate as X509Structure,
} from '@peculiar/asn1-x509';
import { GatewayError } from '../errors.ts';
import {
  canonicalText,
  type DistributionPoint,
  readDistributionPoints,
  readOcspUrls,
} from './distribution-point.ts';
import { type CertificateKey, keyOf } from './key.ts';
import { type KeyUsageName, type NetscapeCertType, readKeyUsage, readNetscapeCertType } from './key-usage.ts';
import { attributeTypes, attributeValues, exactText, formatName } from './name.ts';
import {
  type ConstrainedName,
  commonHostNames,
  type NameConstraints,
  readAlternativeNames,
  readNameConstraints,
  subjectNames,
} from './name-constraints.ts';
import { type SignatureHash, signatureHashOf } from './signature.ts';

export interface Certificate {
  readonly x509: X509Certificate;
  readonly der: Buffer;
  /** 1, 2 or 3: extensions need 3 (RFC 5280 §4.1.2.1). */
  readonly version: number;
  /** Lower hex of the SHA-256 of the DER. */
  readonly sha256: string;
  /** Base64url of the same: `x5t#S256` (RFC 8705 §3.1). */
  readonly thumbprint: string;
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

const oid = {
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  crlDistributionPoints: '2.5.29.31',
  certificatePolicies: '2.5.29.32',
  policyMappings: '2.5.29.33',
  policyConstraints: '2.5.29.36',
  extendedKeyUsage: '2.5.29.37',
  freshestCrl: '2.5.29.46',
  inhibitAnyPolicy: '2.5.29.54',
  authorityInformationAccess: '1.3.6.1.5.5.7.1.1',
  netscapeCertType: '2.16.840.1.113730.1.1',
  ipAddressBlocks: '1.3.6.1.5.5.7.1.7',
  autonomousSystemIds: '1.3.6.1.5.5.7.1.8',
  proxyCertificate: '1.3.6.1.5.5.7.1.14',
} as const;

/** Those that may be critical: key identifiers and access to information must not be (RFC 5280 §4.2.1.1, §4.2.2.1). */
const processed: ReadonlySet<string> = new Set([
  oid.basicConstraints,
  oid.keyUsage,
  oid.extendedKeyUsage,
  oid.subjectAltName,
  oid.certificatePolicies,
  oid.crlDistributionPoints,
]);

/**
 * They narrow what a CA may issue, or what a certificate stands for; ignoring one would widen it, so their presence counts
 * even when not critical: certificate policies, IP addresses and AS numbers (RFC 3779), proxy certificates (RFC 3820).
 */
const narrowing: ReadonlySet<string> = new Set([
  oid.policyConstraints,
  oid.policyMappings,
  oid.inhibitAnyPolicy,
  oid.ipAddressBlocks,
  oid.autonomousSystemIds,
  oid.proxyCertificate,
]);

/**
 * Reads one DER certificate (RFC 5280 §4.1).
 * Throws GatewayError `CERTIFICATE_UNREADABLE`; the message never repeats the input.
 */
export function parseCertificate(der: Uint8Array): Certificate {
  try {
    return read(Buffer.from(der));
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause;
    throw unreadable('not a DER certificate', cause);
  }
}

export function unreadable(message: string, cause?: unknown): GatewayError {
  return new GatewayError({ code: 'CERTIFICATE_UNREADABLE', side: 'internal', message, cause });
}

function read(der: Buffer): Certificate {
  const x509 = new X509Certificate(der);
  // OpenSSL looks for PEM text anywhere in the bytes first and ignores what follows the DER: both would make
  // it speak of another certificate than the one that is read here.
  if (!x509.raw.equals(der)) throw unreadable('bytes before or after the certificate');

  const { tbsCertificate: tbs, signatureAlgorithm } = AsnConvert.parse(der, X509Structure);
  if (tbs.signature.algorithm !== signatureAlgorithm.algorithm) {
    throw unreadable('two different signature algorithms (RFC 5280 §4.1.1.2)');
  }
  const extensions = new Map<string, Extension>();
  for (const extension of tbs.extensions ?? []) {
    if (extensions.has(extension.extnID)) throw unreadable(`extension ${extension.extnID} occurs twice`);
    extensions.set(extension.extnID, extension);
  }
  if (extensions.size > 0 && tbs.version !== 2) throw unreadable('extensions in a certificate before v3');

  const digest = createHash('sha256').update(der).digest();
  const spki = Buffer.from(AsnConvert.serialize(tbs.subjectPublicKeyInfo));
  const basic = readExtension(extensions, oid.basicConstraints, BasicConstraints);
  const extendedKeyUsage = readExtension(extensions, oid.extendedKeyUsage, ExtendedKeyUsage);
  const names = readExtension(extensions, oid.subjectAltName, SubjectAlternativeName);
  const constraints = extensionValue(extensions, oid.nameConstraints);
  const nameConstraints = constraints === null ? null : readNameConstraints(constraints);
  const [subject, issuer] = [canonicalText(tbs.subject), canonicalText(tbs.issuer)];
  const alternativeNames = extensionValue(extensions, oid.subjectAltName);
  const constrained = [
    ...subjectNames(tbs.subject, subject),
    ...(alternativeNames === null ? [] : readAlternativeNames(alternativeNames)),
  ];
  const isCa = basic?.cA === true;
  const certType = isCa ? null : extensionValue(extensions, oid.netscapeCertType);
  const points = (id: string) => readDistributionPoints(extensionValue(extensions, id) ?? none, issuer);
  return {
    x509,
    der,
    version: tbs.version + 1,
    sha256: digest.toString('hex'),
    thumbprint: digest.toString('base64url'),
    spkiPin: createHash('sha256').update(spki).digest('base64'),
    subject: formatName(tbs.subject),
    issuer: formatName(tbs.issuer),
    canonicalSubject: subject,
    canonicalIssuer: issuer,
    serial: Buffer.from(tbs.serialNumber)
      .toString('hex')
      .replace(/^(00)+(?=..)/, ''),
    serialOctets: new Uint8Array(tbs.serialNumber),
    notBefore: readTime(x509.validFromDate),
    notAfter: readTime(x509.validToDate),
    organizationalUnits: attributeValues(tbs.subject, attributeTypes.organizationalUnit),
    commonNames: attributeValues(tbs.subject, attributeTypes.commonName),
    sans: [...(names ?? [])].flatMap(formatAlternativeName),
    names: constrained,
    commonHostNames: constrained.some(({ kind }) => kind === 'dns') ? [] : commonHostNames(tbs.subject),
    isSelfIssued: subject === issuer && exactText(tbs.subject) === exactText(tbs.issuer),
    isCa,
    pathLength: isCa ? readPathLength(basic) : null,
    keyUsage: readKeyUsage(readExtension(extensions, oid.keyUsage, KeyUsage)),
    extendedKeyUsage: extendedKeyUsage === null ? null : [...extendedKeyUsage],
    netscapeCertType: certType === null ? null : readNetscapeCertType(certType),
    nameConstraints,
    signatureHash: signatureHashOf(signatureAlgorithm),
    key: keyOf(x509, tbs.subjectPublicKeyInfo.algorithm.algorithm),
    unprocessedCritical: [...extensions.values()]
      .filter(({ extnID, critical }) =>
        extnID === oid.nameConstraints
          ? nameConstraints === null
          : narrowing.has(extnID) ||
            (critical && !processed.has(extnID) && (isCa || extnID !== oid.netscapeCertType)),
      )
      .map(({ extnID }) => extnID),
    crlDistributionPoints: points(oid.crlDistributionPoints),
    freshestCrl: points(oid.freshestCrl),
    ocspUrls: readOcspUrls(extensionValue(extensions, oid.authorityInformationAccess) ?? none),
  };
}

/** An empty SEQUENCE, in place of an extension that is absent. */
const none = Buffer.of(0x30, 0x00);

function readExtension<T>(
  extensions: ReadonlyMap<string, Extension>,
  id: string,
  Structure: new () => T,
): T | null {
  const value = extensionValue(extensions, id);
  return value === null ? null : AsnConvert.parse(value, Structure);
}

/** The extension's DER; null: it is absent. */
function extensionValue(extensions: ReadonlyMap<string, Extension>, id: string): Buffer | null {
  const extension = extensions.get(id);
  if (extension === undefined) return null;
  const value = Buffer.from(extension.extnValue.buffer);
  if (!isOneElement(value)) throw unreadable(`extension ${id} is not one DER element`);
  return value;
}

/** Whether the bytes are exactly one DER element: the ASN.1 library would ignore whatever follows it. */
function isOneElement(bytes: Buffer): boolean {
  const first = bytes[1];
  if (first === undefined) return false;
  if (first < 0x80) return bytes.length === 2 + first;
  const octets = first & 0x7f;
  if (octets < 1 || octets > 4 || bytes.length < 2 + octets) return false;
  return bytes.length === 2 + octets + bytes.readUIntBE(2, octets);
}

function readTime(time: Date): number {
  const ms = time.getTime();
  if (!Number.isFinite(ms)) throw unreadable('a validity date that is no date');
  return ms;
}

function readPathLength({ pathLenConstraint }: BasicConstraints): number | null {
  if (pathLenConstraint === undefined) return null;
  if (!Number.isSafeInteger(pathLenConstraint) || pathLenConstraint < 0) {
    throw unreadable('a path length that is no count');
  }
  return pathLenConstraint;
}

function formatAlternativeName(name: GeneralName): string | [] {
  if (name.dNSName !== undefined) return `DNS:${name.dNSName}`;
  if (name.uniformResourceIdentifier !== undefined) return `URI:${name.uniformResourceIdentifier}`;
  if (name.rfc822Name !== undefined) return `email:${name.rfc822Name}`;
  if (name.iPAddress !== undefined) return `IP:${name.iPAddress}`;
  return [];
}
