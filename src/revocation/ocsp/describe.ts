/** Describes an OCSP response in one line, for events and for the detail of a denial. */
import type { OcspAnswer, OcspRefusal } from './response.ts';

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

export function describeRefusal({ problem, detail }: OcspRefusal): string {
  return `${problem.replaceAll('_', ' ')}: ${detail}`;
}

function isoTime(at: number): string {
  return new Date(at).toISOString();
}
