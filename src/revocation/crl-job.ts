/** What the control thread asks of the thread that reads a CRL, and what that answers. */
import type { CrlReading } from './crl.ts';

/** Octets of a CRL, DER or PEM, that are read at most. */
export const MAX_CRL = 64 * 1024 * 1024;

export interface CrlJob {
  /** DER or PEM; or the path of a file that holds it. */
  readonly source: Uint8Array | string;
  /** DER of the certificates that may have signed it (crl-reader.ts). */
  readonly issuers: readonly Uint8Array[];
}

/** `file`: there is no such file, or it cannot be read, or it is too large. */
export type CrlAnswer =
  | CrlReading
  | { readonly ok: false; readonly problem: 'file'; readonly detail: string };
