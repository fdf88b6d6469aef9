/** What a CRL and what an OCSP answer say, in a line for people. */
import type { CrlSnapshot, UnclearEntries } from './crl/crl.ts';
import type { OcspAnswer, OcspRefusal } from './ocsp/response.ts';

export function describeCrl({ sha256, number, table, issuerText, nextUpdate, unclear }: CrlSnapshot): string {
  const until = nextUpdate === null ? 'without nextUpdate' : `until ${isoTime(nextUpdate)}`;
  const facts = `${issuerText}: ${crlNumber(number)}, ${table.count} entries, ${until}, CRL ${crlId(sha256)}`;
  return unclear === null ? facts : `${facts}; ${describeUnclear(unclear)}`;
}

function describeUnclear({ count, first }: UnclearEntries): string {
  const entries = count === 1 ? '1 entry is' : `${count} entries are`;
  return `${entries} not as RFC 5280 has it and counts as revoked (${first}): report it to the CA`;
}

/** What stands for a CRL in details, so that a denial's is found again where it was fetched: hex, too short to be masked. */
export function crlId(sha256: string): string {
  return sha256.slice(0, 12);
}

export function crlNumber(number: bigint | null): string {
  return number === null ? 'no number' : `number ${number}`;
}

/** Why a CRL's time is over; `end`: as told by `crlEnd`. */
export function describeEnd({ sha256, number, nextUpdate }: CrlSnapshot, end: number): string {
  const which = `CRL ${crlId(sha256)}, ${crlNumber(number)}`;
  return nextUpdate === null
    ? `${which}: it has no nextUpdate, so from its thisUpdate ${isoTime(end)} on it counts for the grace alone`
    : `${which}: it ended at ${isoTime(end)}`;
}

export function describeAnswer(answer: OcspAnswer): string {
  const { status, revokedAt, reason, thisUpdate, freshUntil } = answer;
  switch (status) {
    case 'good':
      return `good until ${isoTime(freshUntil)}`;
    case 'revoked':
      return `revoked at ${isoTime(revokedAt ?? thisUpdate)}, ${reason ?? 'unspecified'}`;
    case 'unknown':
      return `the responder does not know the certificate, as of ${isoTime(thisUpdate)}`;
    default:
      return status satisfies never;
  }
}

function isoTime(at: number): string {
  return new Date(at).toISOString();
}

export function describeRefusal({ problem, detail }: OcspRefusal): string {
  return `${problem.replaceAll('_', ' ')}: ${detail}`;
}
