/** What a CRL and what an OCSP answer say, in a line for people. */
import type { CrlSnapshot, UnclearEntries } from './crl.ts';
import type { OcspAnswer, OcspRefusal } from './ocsp.ts';

export function describeCrl({ number, table, issuerText, nextUpdate, unclear }: CrlSnapshot): string {
  const which = number === null ? 'no number' : `number ${number}`;
  const until = nextUpdate === null ? 'without an end' : `until ${isoTime(nextUpdate)}`;
  const told = `${issuerText}: ${which}, ${table.count} entries, ${until}`;
  return unclear === null ? told : `${told}; ${describeUnclear(unclear)}`;
}

function describeUnclear({ count, first }: UnclearEntries): string {
  const entries = count === 1 ? '1 entry is' : `${count} entries are`;
  return `${entries} not as RFC 5280 has it and counts as revoked (${first}): tell the CA`;
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
