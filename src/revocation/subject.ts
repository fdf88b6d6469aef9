/** What the revocation service looks after: an anchor's certificates, and what is configured for it. */
import type { Certificate } from '../pki/certificate.ts';
import type { RevocationPolicy } from './state.ts';

/** An anchor as it is configured and trusted now. */
export interface RevocationSubject {
  /** The anchor's. */
  readonly name: string;
  /** The root first. */
  readonly certificates: readonly [Certificate, ...Certificate[]];
  readonly policy: RevocationPolicy;
  /** PEM of the CAs that verify HTTPS servers, instead of Node's own. */
  readonly tlsCa?: Buffer | undefined;
}
