/** Input and result of parsing one CRL, on this thread or in a thread of its own. */
import type { Certificate } from '../../pki/certificate.ts';
import type { CrlReading } from './crl.ts';

/** Maximum size of a CRL, DER or PEM, octets. */
export const MAX_CRL = 64 * 1024 * 1024;

export interface CrlParseJob {
  /** DER or PEM, which the caller must not use any more; or the path of a file that holds it. */
  readonly source: Uint8Array | string;
  /** The certificates that may have signed it, as in `CrlInput`. */
  readonly issuers: readonly Certificate[];
}

/** The job in a form that can be sent to another thread. */
export interface CrlThreadJob {
  readonly source: CrlParseJob['source'];
  /** DER. */
  readonly issuers: readonly Uint8Array[];
}

/** `file`: the file does not exist, cannot be read or is too large. */
export type CrlParseResult =
  | CrlReading
  | { readonly ok: false; readonly problem: 'file'; readonly detail: string };
