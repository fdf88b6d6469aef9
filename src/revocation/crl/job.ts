/** What is asked of who reads a CRL, and what the answer is. */
import type { Certificate } from '../../pki/certificate.ts';
import type { CrlReading } from './crl.ts';

/** Octets of a CRL, DER or PEM, that are read at most. */
export const MAX_CRL = 64 * 1024 * 1024;

export interface CrlJob {
  /** DER or PEM, which nobody else may use from now on; or the path of a file that holds it. */
  readonly source: Uint8Array | string;
  /** The certificates that may have signed it (crl-reader.ts). */
  readonly issuers: readonly Certificate[];
}

/** The same for another thread. */
export interface CrlThreadJob {
  readonly source: CrlJob['source'];
  /** DER. */
  readonly issuers: readonly Uint8Array[];
}

/** `file`: there is no such file, or it cannot be read, or it is too large. */
export type CrlAnswer =
  | CrlReading
  | { readonly ok: false; readonly problem: 'file'; readonly detail: string };
