/** What the revocation service reports to the rest of the control thread: its events, and the state of each source. */

export type RevocationAction =
  /** A CRL was fetched that differs from the one before, and is now in use. */
  | 'crl_fetched'
  /** After a start the last good CRL on disk is in use until its source confirms or replaces it. */
  | 'crl_from_cache'
  /** After a failure the source confirmed the CRL in use. */
  | 'crl_confirmed'
  /** A CRL was fetched but must not be used; the last good one stays in use. */
  | 'crl_refused'
  /** A CRL replaced an expired one that it could not have replaced before: the CA restarted its CRL numbers. */
  | 'crl_restarted'
  /** No CRL could be fetched. */
  | 'crl_fetch_failed'
  /** nextUpdate of the CRL in use has passed; it stays valid for the grace period. */
  | 'crl_stale'
  /** The grace period of the CRL in use has passed too; it no longer shows that a certificate is good. */
  | 'crl_expired'
  /** The first OCSP response about a certificate, or one with another status than the one before. */
  | 'ocsp_fetched'
  /** After a failure a responder repeated the known status. */
  | 'ocsp_confirmed'
  /** A responder sent a response that must not be used. */
  | 'ocsp_refused'
  /** No response could be fetched from a responder. */
  | 'ocsp_fetch_failed'
  /** The operator had the stored data of a source dropped; it is fetched again. */
  | 'forgotten'
  /** An address that is never fetched: not an http or https URL, malformed, or with credentials. */
  | 'address_skipped'
  /** An address beyond the limit of 16 per trust anchor. */
  | 'too_many_addresses'
  /** The cache folder could not be read or written; the data is in memory only. */
  | 'cache_failed'
  /** A certificate that names no revocation source, and for which none is configured. */
  | 'not_checked';

export interface RevocationEvent {
  readonly type: 'revocation';
  readonly action: RevocationAction;
  readonly anchor: string;
  /** URL or path; of several OCSP responders the one that the event is about. */
  readonly address?: string;
  /** Subject of the certificate that the event is about, RFC 4514. */
  readonly certificate?: string;
  readonly detail?: string;
}

/** An event before the service adds its type and the trust anchor. */
export type RevocationNotice = Pick<RevocationEvent, 'action' | 'address' | 'certificate' | 'detail'>;

/** State of one source; times are milliseconds since the epoch. */
export interface SourceState {
  readonly anchor: string;
  readonly kind: 'crl' | 'ocsp';
  readonly address: string;
  /** Of OCSP the subject of the certificate; of a CRL its issuer; null: no CRL yet. */
  readonly subject: string | null;
  /** Of OCSP the serial number of the certificate. */
  readonly serial: string | null;
  /** Of OCSP the SHA-256 of the certificate, lower hex. */
  readonly certificate: string | null;
  /** When the source last returned or confirmed the data in use; null: none is in use. */
  readonly fetchedAt: number | null;
  readonly thisUpdate: number | null;
  readonly nextUpdate: number | null;
  /** Number of revoked certificates in the CRL. */
  readonly entries: number | null;
  /** Entries of the CRL that violate RFC 5280 and count as revoked; null: no CRL. */
  readonly unclear: number | null;
  /** The CRL number, in decimal. */
  readonly number: string | null;
  /** Of OCSP the status in use. */
  readonly status: 'good' | 'revoked' | 'unknown' | null;
  /** Why the last attempt failed; null: it succeeded. */
  readonly problem: string | null;
  /** Consecutive attempts that failed. */
  readonly failures: number;
}
