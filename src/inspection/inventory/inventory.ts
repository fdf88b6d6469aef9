/** The inventory of trusted keys and certificates (PCI DSS 4.0.1, 4.2.1.1): one row for each use of each. */
import { readCertificateStructure } from '../../pki/certificate-der.ts';
import { attributeTypes, attributeValues, readName } from '../../pki/distinguished-name.ts';
import { weakKey, weakSignature } from '../../pki/strength.ts';
import { keyName, keyStrength, signatureName } from '../algorithm-strength.ts';
import { type CertificateHolding, type CrlHolding, type Holding, purposes } from '../holdings/holding.ts';
import { daysLeft, isoTime } from '../item-facts.ts';
import { type LastUse, lastUseOf, seenClients } from './last-use.ts';
import type { OfferedSuite } from './offered-suites.ts';
import type { RunningGateway } from './running-gateway.ts';

/** Field names as in the audit records; null: does not apply, or is not known. */
export interface InventoryRow {
  /** `key`: a private key of the gateway's own; `hash`: a key known by its hash alone; `set`: trusted without being listed; `fault`: cannot be read. */
  readonly kind: Holding['kind'] | 'cipher_suite';
  readonly purpose: string;
  /** The organisation that the certificate names, otherwise its common name. */
  readonly owner: string | null;
  readonly subject: string | null;
  readonly issuer: string | null;
  readonly serial: string | null;
  readonly not_before: string | null;
  readonly not_after: string | null;
  readonly days_left: number | null;
  readonly algorithm: string | null;
  readonly strength_bits: number | null;
  readonly signature: string | null;
  /** What is weak about key or signature. */
  readonly weakness: string | null;
  readonly sha256: string | null;
  readonly 'x5t#S256': string | null;
  readonly pin: string | null;
  readonly source: string;
  readonly key_file: string | null;
  readonly used_by: string;
  readonly path: string;
  /** `used`, or why the gateway does not use it. */
  readonly state: string;
  /** Whether the running gateway has it; null: not asked, or it does not say. */
  readonly running: boolean | null;
  /** ISO 8601; null: `last_use_note` says what is known. */
  readonly last_use: string | null;
  readonly last_use_note: string | null;
}

export interface InventoryOptions {
  /** null: no running gateway was asked. */
  readonly running: RunningGateway | null;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Keys whose `source` is the file of the private key itself. */
const ownKeys: readonly string[] = ['audit_key', 'introspection_key'];

export function inventoryRows(holdings: readonly Holding[], options: InventoryOptions): InventoryRow[] {
  const { running, now } = options;
  const rows = holdings.map((holding) => rowOf(holding, { holdings, ...options }));
  const seen = running === null ? [] : seenClients(running);
  return [
    ...rows,
    ...seen.map(({ subject, serial, notAfter, lastUse }) => ({
      ...emptyRow({
        kind: 'certificate',
        purpose: purposes.seen_client.text,
        source: 'running gateway',
        usedBy: 'clients',
        path: '',
      }),
      ...{ subject, serial, not_after: isoTime(notAfter), days_left: daysLeft(notAfter, now) },
      ...{ owner: null, state: 'authorized', running: true, ...lastUse },
    })),
  ];
}

interface RowContext extends InventoryOptions {
  readonly holdings: readonly Holding[];
}

function rowOf(holding: Holding, context: RowContext): InventoryRow {
  const use: LastUse = lastUseOf(holding, context);
  const row = { ...emptyRow({ ...holding, purpose: purposes[holding.purpose].text }), ...use };
  switch (holding.kind) {
    case 'certificate':
      return { ...row, ...certificateColumns(holding, context.now) };
    case 'crl':
      return { ...row, ...crlColumns(holding, context.now) };
    case 'hash':
      return {
        ...row,
        ...(holding.purpose === 'client_thumbprint'
          ? { 'x5t#S256': holding.sha256 }
          : { pin: `sha256/${holding.sha256}` }),
      };
    case 'key': {
      const { key, spkiPin, source, state, purpose } = holding;
      const columns = { algorithm: keyName(key), strength_bits: keyStrength(key), pin: `sha256/${spkiPin}` };
      return { ...row, ...columns, key_file: ownKeys.includes(purpose) ? source : null, state };
    }
    case 'set':
      return { ...row, state: holding.detail };
    case 'fault':
      return { ...row, state: holding.detail };
    default:
      return holding satisfies never;
  }
}

function emptyRow({
  kind,
  purpose,
  source,
  usedBy,
  path,
}: Pick<InventoryRow, 'kind' | 'purpose' | 'source' | 'path'> & { readonly usedBy: string }): InventoryRow {
  return {
    ...{ kind, purpose, owner: null, subject: null, issuer: null, serial: null },
    ...{ not_before: null, not_after: null, days_left: null, algorithm: null, strength_bits: null },
    ...{ signature: null, weakness: null, sha256: null, 'x5t#S256': null, pin: null, key_file: null },
    ...{ source, used_by: usedBy, path, state: 'used', running: null, last_use: null, last_use_note: null },
  };
}

function certificateColumns({ certificate, keyFile, unused }: CertificateHolding, now: number) {
  const { key, notBefore, notAfter } = certificate;
  const structure = readCertificateStructure(certificate.der);
  const isOwnSignature = certificate.isSelfIssued;
  // A root is trusted by its bytes: its own signature protects nothing.
  const weaknesses = [weakKey(certificate), isOwnSignature ? null : weakSignature(certificate)];
  return {
    owner: ownerOf(structure.subject),
    ...{ subject: certificate.subject, issuer: certificate.issuer, serial: certificate.serial },
    not_before: isoTime(notBefore),
    not_after: isoTime(notAfter),
    days_left: daysLeft(notAfter, now),
    algorithm: keyName(key),
    strength_bits: keyStrength(key),
    signature: signatureName(structure.signatureAlgorithm),
    weakness: weaknesses.filter((each) => each !== null).join(', ') || null,
    ...{
      sha256: certificate.sha256,
      'x5t#S256': certificate.thumbprint,
      pin: `sha256/${certificate.spkiPin}`,
    },
    key_file: keyFile,
    state: unused === null ? stateAt(certificate, now) : `not used: ${unused}`,
  };
}

function stateAt(
  { notBefore, notAfter }: { readonly notBefore: number; readonly notAfter: number },
  now: number,
): string {
  if (now > notAfter) return 'expired';
  return now < notBefore ? 'not valid yet' : 'used';
}

function ownerOf(subject: Uint8Array): string | null {
  const name = readName(subject);
  const [organization] = attributeValues(name, attributeTypes.organization);
  const [commonName] = attributeValues(name, attributeTypes.commonName);
  return organization ?? commonName ?? null;
}

function crlColumns({ issuer, sha256, thisUpdate, nextUpdate, entries }: CrlHolding, now: number) {
  const isStale = nextUpdate !== null && now > nextUpdate;
  return {
    ...{ subject: `CRL of ${issuer}`, issuer, sha256, not_before: isoTime(thisUpdate) },
    not_after: nextUpdate === null ? null : isoTime(nextUpdate),
    days_left: nextUpdate === null ? null : daysLeft(nextUpdate, now),
    state: `${isStale ? 'past its nextUpdate' : 'used'}; ${entries} entries`,
  };
}

/** Rows of the same table for the cipher suites that the gateway offers (PCI DSS 4.0.1, 12.3.3). */
export function suiteRows(suites: readonly OfferedSuite[]): InventoryRow[] {
  return suites.map((each) => ({
    ...emptyRow({
      ...{ kind: 'cipher_suite', purpose: each.purpose },
      ...{ source: 'ehi-gateway', usedBy: each.usedBy, path: '' },
    }),
    ...{
      algorithm: `${each.protocol} ${each.suite}`,
      strength_bits: each.strengthBits,
      weakness: weaknessOf(each),
      state: 'offered',
    },
  }));
}

export function weaknessOf({ rating, forwardSecrecy, aead }: OfferedSuite): string | null {
  if (rating === 'strong') return null;
  if (rating !== 'acceptable') return rating;
  const missing = [forwardSecrecy ? null : 'no forward secrecy', aead ? null : 'no AEAD'];
  return missing.filter((each) => each !== null).join(', ');
}
