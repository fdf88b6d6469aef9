/** A parsed CRL with a verified signature: plain data and a table in shared memory, usable by every thread. */
import type { DistributionPoint } from '../../pki/distribution-point.ts';
import type { CrlRefusalReason } from './refusal.ts';
import type { CrlTable } from './table.ts';

/** Names are canonical (pki/distribution-point.ts), times are milliseconds since the epoch. */
export interface CrlSnapshot {
  /** SHA-256 of the DER, lower hex. */
  readonly sha256: string;
  readonly issuer: string;
  /** The issuer as an RFC 4514 string, for people. */
  readonly issuerText: string;
  readonly signer: CrlSigner;
  /** cRLNumber (RFC 5280 §5.2.3); null: absent. */
  readonly number: bigint | null;
  /** BaseCRLNumber of a delta CRL (RFC 5280 §5.2.4); null: a complete CRL. */
  readonly baseNumber: bigint | null;
  readonly thisUpdate: number;
  readonly nextUpdate: number | null;
  readonly scope: CrlScope;
  /** Where delta CRLs to this CRL are published. */
  readonly freshestCrl: readonly DistributionPoint[];
  readonly table: CrlTable;
  /** null: no such entries. */
  readonly unclear: UnclearEntries | null;
}

/** Entries that violate RFC 5280 but have a readable serial number: each counts as revoked. */
export interface UnclearEntries {
  readonly count: number;
  /** What is wrong with the first of them, and at which byte. */
  readonly first: string;
}

/** The key that verified the signature. Its certificate is not kept: the CA may get another one for the same key. */
interface CrlSigner {
  readonly spkiPin: string;
}

/** The issuing distribution point (RFC 5280 §5.2.5). */
export interface CrlScope {
  /** The extension's value, lower hex, to compare scopes; null: the extension is absent. */
  readonly extension: string | null;
  /** Names as `readGeneralNames` returns them; null: none. */
  readonly names: readonly string[] | null;
  readonly only: 'user' | 'ca' | 'attribute' | null;
  /** ReasonFlags as a mask; null: all. */
  readonly reasons: number | null;
  readonly indirect: boolean;
}

/** When the CRL expires: nextUpdate, which RFC 5280 §5.1.2.5 requires. Without it thisUpdate: only the grace period is left. */
export function crlEnd({ thisUpdate, nextUpdate }: Pick<CrlSnapshot, 'thisUpdate' | 'nextUpdate'>): number {
  return nextUpdate ?? thisUpdate;
}

export type CrlReading =
  | { readonly ok: true; readonly crl: CrlSnapshot }
  | { readonly ok: false; readonly problem: CrlRefusalReason; readonly detail: string };
