/** A CRL once it has been read and its signature verified: plain facts and a shared table, for every thread alike. */
import type { DistributionPoint } from '../../pki/distribution-point.ts';
import type { CrlTable } from './table.ts';

/** Names are canonical (pki/distribution-point.ts), times are milliseconds since the epoch. */
export interface CrlSnapshot {
  /** Lower hex of the DER's SHA-256. */
  readonly sha256: string;
  /** Octets of the DER. */
  readonly size: number;
  readonly issuer: string;
  /** The same as RFC 4514 string, for people. */
  readonly issuerText: string;
  readonly signer: CrlSigner;
  /** null: the CRL has no cRLNumber. */
  readonly number: bigint | null;
  /** What a delta CRL is a difference to; null: a complete CRL. */
  readonly baseNumber: bigint | null;
  readonly thisUpdate: number;
  readonly nextUpdate: number | null;
  readonly scope: CrlScope;
  /** Where delta CRLs to this one are found. */
  readonly freshestCrl: readonly DistributionPoint[];
  readonly table: CrlTable;
  /** null: there are none. */
  readonly unclear: UnclearEntries | null;
}

/** Entries of which something could not be read or makes no sense: each revokes all the same. */
export interface UnclearEntries {
  readonly count: number;
  /** What is wrong with the first of them, and where. */
  readonly first: string;
}

/** The certificate whose key verified the signature. */
export interface CrlSigner {
  readonly sha256: string;
  readonly spkiPin: string;
}

/** The issuing distribution point (RFC 5280 §5.2.5). */
export interface CrlScope {
  /** Lower hex of the extension's value, which tells scopes apart; null: the extension is absent. */
  readonly extension: string | null;
  /** Names as `readGeneralNames` tells them; null: none. */
  readonly names: readonly string[] | null;
  readonly only: 'user' | 'ca' | 'attribute' | null;
  /** ReasonFlags as a mask; null: all. */
  readonly reasons: number | null;
  readonly indirect: boolean;
}

/** A CRL that does not say when the next one comes (RFC 5280 §5.1.2.5 demands it) holds by grace alone. */
export function crlEnd({ thisUpdate, nextUpdate }: Pick<CrlSnapshot, 'thisUpdate' | 'nextUpdate'>): number {
  return nextUpdate ?? thisUpdate;
}

export type CrlProblem =
  /** Neither one CRL as RFC 5280 §5.1 has it nor one in PEM. */
  | 'unreadable'
  /** Not signed in the name, or under the right, of any certificate that could have. */
  | 'wrong_issuer'
  | 'weak_signature'
  | 'bad_signature'
  /** It says something that must be understood, and is not. */
  | 'critical_extension';

export type CrlReading =
  | { readonly ok: true; readonly crl: CrlSnapshot }
  | { readonly ok: false; readonly problem: CrlProblem; readonly detail: string };

/**
 * Why a CRL must not take the place of the last good one from the same source, or null: its number (RFC 5280 §5.2.3),
 * and without numbers its date, never goes back.
 */
export function goesBack(
  next: Pick<CrlSnapshot, 'number' | 'thisUpdate'>,
  last: Pick<CrlSnapshot, 'number' | 'thisUpdate'>,
): string | null {
  if (last.number !== null && next.number === null) return `no CRL number after ${last.number}`;
  if (last.number !== null && next.number !== null && next.number < last.number)
    return `CRL number ${next.number} after ${last.number}`;
  if (next.thisUpdate < last.thisUpdate && next.number === last.number)
    return `a CRL of ${new Date(next.thisUpdate).toISOString()} after one of ${new Date(last.thisUpdate).toISOString()}`;
  return null;
}
