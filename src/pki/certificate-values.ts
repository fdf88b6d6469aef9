/** Decodes the names, key and extensions of a certificate (RFC 5280 §4.1.2, §4.2), each on first use. */
import type { X509Certificate } from 'node:crypto';
import { GatewayError } from '../errors.ts';
import type { CertificateStructure } from './certificate-der.ts';
import { DerError } from './der-cursor.ts';
import { attributeTypes, attributeValues, exactText, formatName, readName } from './distinguished-name.ts';
import {
  canonicalText,
  type DistributionPoint,
  readDistributionPoints,
  readOcspUrls,
} from './distribution-point.ts';
import {
  readBasicConstraints,
  readExtendedKeyUsage,
  readKeyUsage,
  readNetscapeCertType,
  readPrintedNames,
} from './extension-decoders.ts';
import { keyOf } from './key.ts';
import {
  type ConstrainedName,
  commonHostNames,
  readAlternativeNames,
  readNameConstraints,
  subjectNames,
} from './name-constraints.ts';

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

/** Processed extensions; key identifiers and information access must not be critical (RFC 5280 §4.2.1.1, §4.2.2.1). */
const processed: ReadonlySet<string> = new Set([
  oid.basicConstraints,
  oid.keyUsage,
  oid.extendedKeyUsage,
  oid.subjectAltName,
  oid.certificatePolicies,
  oid.crlDistributionPoints,
]);

/**
 * Extensions that restrict what a CA may issue, or what a certificate is valid for: policy rules, IP addresses and AS
 * numbers (RFC 3779), proxy certificates (RFC 3820). Ignoring one would widen it, so that a certificate with one is
 * unusable even if the extension is not critical.
 */
const restricting: ReadonlySet<string> = new Set([
  oid.policyConstraints,
  oid.policyMappings,
  oid.inhibitAnyPolicy,
  oid.ipAddressBlocks,
  oid.autonomousSystemIds,
  oid.proxyCertificate,
]);

/** Each function throws GatewayError `CERTIFICATE_UNREADABLE` if its value cannot be decoded. */
export function lazyValues(structure: CertificateStructure, x509: X509Certificate) {
  const { extensions } = structure;
  const extension = <T>(id: string, readValue: (value: Uint8Array) => T): (() => T | null) =>
    lazy(() => {
      const found = extensions.get(id);
      return found === undefined ? null : within(id, () => readValue(found.value));
    });
  const subjectName = lazy(() => readName(structure.subject));
  const issuerName = lazy(() => readName(structure.issuer));
  const canonicalSubject = lazy(() => canonicalText(subjectName()));
  const canonicalIssuer = lazy(() => canonicalText(issuerName()));
  const points = (id: string): (() => readonly DistributionPoint[]) => {
    const read = extension(id, (value) => readDistributionPoints(value, canonicalIssuer()));
    return lazy(() => read() ?? []);
  };
  const ocspUrls = extension(oid.authorityInformationAccess, readOcspUrls);
  const constraints = extension(oid.nameConstraints, readNameConstraints);
  const alternativeNames = extension(oid.subjectAltName, readAlternativeNames);
  const printedNames = extension(oid.subjectAltName, readPrintedNames);
  const basicConstraints = extension(oid.basicConstraints, readBasicConstraints);
  const basic = lazy(() => basicConstraints() ?? { isCa: false, pathLength: null });
  const netscapeCertType = extension(oid.netscapeCertType, readNetscapeCertType);
  const names = lazy((): readonly ConstrainedName[] => [
    ...subjectNames(subjectName(), canonicalSubject()),
    ...(alternativeNames() ?? []),
  ]);
  return {
    canonicalSubject,
    canonicalIssuer,
    subject: lazy(() => formatName(subjectName())),
    issuer: lazy(() => formatName(issuerName())),
    organizationalUnits: lazy(() => attributeValues(subjectName(), attributeTypes.organizationalUnit)),
    commonNames: lazy(() => attributeValues(subjectName(), attributeTypes.commonName)),
    sans: lazy(() => printedNames() ?? []),
    names,
    commonHostNames: lazy(() =>
      names().some(({ kind }) => kind === 'dns') ? [] : commonHostNames(subjectName()),
    ),
    isSelfIssued: lazy(
      () => canonicalSubject() === canonicalIssuer() && exactText(subjectName()) === exactText(issuerName()),
    ),
    basic,
    keyUsage: extension(oid.keyUsage, readKeyUsage),
    extendedKeyUsage: extension(oid.extendedKeyUsage, readExtendedKeyUsage),
    netscapeCertType: lazy(() => (basic().isCa ? null : netscapeCertType())),
    nameConstraints: constraints,
    key: lazy(() => keyOf(x509, structure.keyAlgorithm)),
    unprocessedCritical: lazy(() =>
      [...extensions]
        .filter(([id, { critical }]) =>
          id === oid.nameConstraints
            ? constraints() === null
            : restricting.has(id) ||
              (critical && !processed.has(id) && (basic().isCa || id !== oid.netscapeCertType)),
        )
        .map(([id]) => id),
    ),
    crlDistributionPoints: points(oid.crlDistributionPoints),
    freshestCrl: points(oid.freshestCrl),
    ocspUrls: lazy(() => ocspUrls() ?? []),
  };
}

/** Adds the extension to an error; positions in the message count from the start of its value. */
function within<T>(id: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw cause instanceof DerError ? new DerError(`extension ${id}: ${cause.message}`) : cause;
  }
}

export function unreadable(message: string, cause?: unknown): GatewayError {
  return new GatewayError({ code: 'CERTIFICATE_UNREADABLE', message, cause });
}

export function guard<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause;
    const where = cause instanceof DerError ? `: ${cause.message}` : '';
    throw unreadable(`not a DER certificate${where}`, cause);
  }
}

/** Computes the value on the first call. */
function lazy<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => {
    made ??= { value: guard(make) };
    return made.value;
  };
}
