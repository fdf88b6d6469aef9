/** An OCSP responder's answer about one certificate, as the revocation service keeps it. */
import type { Certificate } from '../../../src/pki/certificate.ts';
import type { OcspResult } from '../../../src/revocation/state.ts';

/** `freshUntil`: milliseconds since the epoch. */
export function ocspResult(
  certificate: Certificate,
  status: OcspResult['status'],
  freshUntil: number,
): OcspResult {
  return {
    certificate: certificate.tbsSha256,
    status,
    freshUntil,
    address: 'http://o/',
    detail: 'noon',
    problem: null,
    responder: null,
  };
}
