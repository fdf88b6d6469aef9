/** Describes a CRL in one line, for events and for the detail of a denial. */
import type { CrlSnapshot, UnclearEntries } from './crl.ts';
import type { CrlExpiryAction } from './expiry-report.ts';

export function describeCrl({ sha256, number, table, issuerText, nextUpdate, unclear }: CrlSnapshot): string {
  const until = nextUpdate === null ? 'without nextUpdate' : `until ${isoTime(nextUpdate)}`;
  const facts = `${issuerText}: ${crlNumber(number)}, ${table.count} entries, ${until}, CRL ${crlId(sha256)}`;
  return unclear === null ? facts : `${facts}; ${describeUnclear(unclear)}`;
}

function describeUnclear({ count, first }: UnclearEntries): string {
  const entries = count === 1 ? '1 entry violates' : `${count} entries violate`;
  return `${entries} RFC 5280 and ${count === 1 ? 'counts' : 'count'} as revoked (${first}): report it to the CA`;
}

/** Short id of a CRL, the same in events and denials: hex, and too short to be masked as a card number. */
export function crlId(sha256: string): string {
  return sha256.slice(0, 12);
}

export function crlNumber(number: bigint | null): string {
  return number === null ? 'no number' : `number ${number}`;
}

/** `end`: as `crlEnd` returns it. */
export function describeExpiry(
  { sha256, number, nextUpdate }: CrlSnapshot,
  { action, end }: { readonly action: CrlExpiryAction; readonly end: number },
): string {
  const which = `CRL ${crlId(sha256)}, ${crlNumber(number)}`;
  const expiry =
    nextUpdate === null
      ? `has no nextUpdate and counts as expired from its thisUpdate, ${isoTime(end)}, on`
      : `expired at ${isoTime(end)}`;
  const consequence =
    action === 'crl_stale'
      ? 'it is still used for the grace period, revocation.grace'
      : 'the grace period has passed too, so it no longer shows that a certificate is good';
  return `${which}, ${expiry}; ${consequence}`;
}

function isoTime(at: number): string {
  return new Date(at).toISOString();
}
