/** What the revocation service tells the rest of the control thread: what happened, and how each source stands. */

export type RevocationAction =
  /** Another CRL than before has come from its source, and is in use. */
  | 'crl_fetched'
  /** The last good CRL from the disk is in use since the start, until its source confirms or replaces it. */
  | 'crl_from_cache'
  /** The source that had a problem confirms the CRL in use. */
  | 'crl_confirmed'
  /** What came is no CRL that may be used: the last good one stays. */
  | 'crl_refused'
  /** A CRL took the last one's place that could not have followed it, had that not ended: the CA counts anew. */
  | 'crl_restarted'
  /** Nothing came. */
  | 'crl_fetch_failed'
  /** The nextUpdate of the CRL in use has passed: it serves on for the grace. */
  | 'crl_stale'
  /** The grace has passed as well: it proves nobody good any more. */
  | 'crl_expired'
  /** A first answer about a certificate, or one that says something else than before. */
  | 'ocsp_fetched'
  /** The responders that had a problem say what they said before. */
  | 'ocsp_confirmed'
  | 'ocsp_refused'
  | 'ocsp_fetch_failed'
  /** What was kept was dropped, as the operator asked: it is brought anew. */
  | 'forgotten'
  /** An address that is never followed: another scheme than http and https, or unreadable. */
  | 'address_skipped'
  /** An address beyond the 16 of its anchor. */
  | 'too_many_addresses'
  /** The cache could not be read, or not be written: what is known is in memory only. */
  | 'cache_failed'
  /** A certificate that names no source, and for which none is configured. */
  | 'not_checked';

export interface RevocationEvent {
  readonly type: 'revocation';
  readonly action: RevocationAction;
  readonly anchor: string;
  /** URL or path; an OCSP feed with several responders names the one that the event is about. */
  readonly address?: string;
  /** The subject that was asked about, RFC 4514. */
  readonly certificate?: string;
  readonly detail?: string;
}

/** How one source stands; times are milliseconds since the epoch. */
export interface SourceState {
  readonly anchor: string;
  readonly kind: 'crl' | 'ocsp';
  readonly address: string;
  /** The subject that OCSP is asked about; the issuer of the CRL; null: no CRL yet. */
  readonly subject: string | null;
  /** Of the certificate that OCSP is asked about. */
  readonly serial: string | null;
  /** Lower hex SHA-256 of the certificate that OCSP is asked about. */
  readonly certificate: string | null;
  /** When the source last gave or confirmed what is in use; null: nothing is. */
  readonly fetchedAt: number | null;
  readonly thisUpdate: number | null;
  readonly nextUpdate: number | null;
  /** Revoked certificates in the CRL. */
  readonly entries: number | null;
  /** Entries of the CRL that are not as RFC 5280 has them, and revoke all the same; null: no CRL. */
  readonly unclear: number | null;
  /** The CRL's number, in decimal. */
  readonly number: string | null;
  /** Of OCSP: the word in use. */
  readonly status: 'good' | 'revoked' | 'unknown' | null;
  /** What was wrong with the last attempt; null: nothing. */
  readonly problem: string | null;
  /** Attempts in a row that failed. */
  readonly failures: number;
}
