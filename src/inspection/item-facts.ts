/** The facts of an item, as `--json` prints them: field names as in the audit records, times in ISO 8601, text unescaped. */
import type { Certificate } from '../pki/certificate.ts';
import { readCertificateStructure } from '../pki/certificate-der.ts';
import { summaryOf } from '../pki/certificate-summary.ts';
import { DerError } from '../pki/der-cursor.ts';
import type { DistributionPoint } from '../pki/distribution-point.ts';
import { readIssuerUrls } from '../pki/distribution-point.ts';
import type { CertificateKey } from '../pki/key.ts';
import { weakKey, weakSignature } from '../pki/strength.ts';
import { keyName, keyStrength, purposeName, signatureName } from './algorithm-strength.ts';
import type { CertificateItem, KeyItem, RequestItem } from './reading/item.ts';

const day = 24 * 3_600_000;

/** Whole days until `end`, negative after it. */
export function daysLeft(end: number, now: number): number {
  return Math.floor((end - now) / day);
}

/** null for a time that could not be read. */
export function isoTime(at: number): string | null {
  return Number.isNaN(at) ? null : new Date(at).toISOString();
}

function keyFacts(key: CertificateKey) {
  return { name: keyName(key), strength_bits: keyStrength(key), weak: weakKey({ key }) };
}

/** `now`: milliseconds since the epoch. */
export function certificateFacts({ x509, certificate, name, at }: CertificateItem, now: number) {
  const { subject, issuer, serial, notBefore, notAfter, spkiPin, thumbprint } =
    certificate ?? summaryOf(x509);
  return {
    ...{ kind: 'certificate' as const, at, name, subject, issuer, serial },
    not_before: isoTime(notBefore),
    not_after: isoTime(notAfter),
    days_left: Number.isNaN(notAfter) ? null : daysLeft(notAfter, now),
    ...(certificate === null ? {} : contentFacts(certificate)),
    pin: spkiPin === null ? null : `sha256/${spkiPin}`,
    sha256: Buffer.from(thumbprint, 'base64url').toString('hex'),
    'x5t#S256': thumbprint,
  };
}

function contentFacts(certificate: Certificate) {
  const structure = readCertificateStructure(certificate.der);
  const { keyUsage, extendedKeyUsage, crlDistributionPoints, freshestCrl } = certificate;
  return {
    key: keyFacts(certificate.key),
    signature: { name: signatureName(structure.signatureAlgorithm), weak: weakSignature(certificate) },
    ca: certificate.isCa,
    path_length: certificate.pathLength,
    key_usage: keyUsage === null ? null : [...keyUsage],
    extended_key_usage: extendedKeyUsage?.map(purposeName) ?? null,
    sans: certificate.sans,
    crl_distribution_points: urlsOf(crlDistributionPoints),
    delta_crl_distribution_points: urlsOf(freshestCrl),
    ocsp: certificate.ocspUrls,
    ca_issuers: issuerUrls(structure.extensions.get('1.3.6.1.5.5.7.1.1')?.value),
  };
}

function urlsOf(points: readonly DistributionPoint[]): string[] {
  return points.flatMap(({ urls }) => urls);
}

function issuerUrls(value: Uint8Array | undefined): string[] {
  try {
    return value === undefined ? [] : readIssuerUrls(value);
  } catch (cause) {
    if (cause instanceof DerError) return [];
    throw cause;
  }
}

export function keyItemFacts({ kind, at, what, key, spkiPin }: KeyItem) {
  return {
    ...{ kind, at, what },
    key: key === null ? null : keyFacts(key),
    pin: spkiPin === null ? null : `sha256/${spkiPin}`,
  };
}

export function requestFacts({ at, request }: RequestItem) {
  const { subject, key, spkiPin, signatureAlgorithm, isSelfSigned, keyUsage, extendedKeyUsage, sans } =
    request;
  return {
    ...{ kind: 'request' as const, at, subject },
    key: keyFacts(key),
    signature: { name: signatureName(signatureAlgorithm), verified: isSelfSigned },
    key_usage: keyUsage === null ? null : [...keyUsage],
    extended_key_usage: extendedKeyUsage?.map(purposeName) ?? null,
    sans,
    pin: `sha256/${spkiPin}`,
  };
}
