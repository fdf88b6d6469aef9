/** Authorities in memory. RSA keys of CAs are reused within a process: generating them is slow. */
import type { KeyObject } from 'node:crypto';
import {
  type AuthorityOptions,
  createAuthority,
  type Authority as DevelopmentAuthority,
} from '../../../src/issuing/development.ts';
import { type KeyKind, makeKey } from '../../../src/pki/key.ts';
import { type CrlOptions, issueCrl } from '../revocation/crl.ts';

export type { Issued, IssueOptions } from '../../../src/issuing/certificate.ts';
export type { Leaf } from '../../../src/issuing/development.ts';

export interface Authority extends DevelopmentAuthority {
  /** PEM of the root, then of the issuing CA. */
  readonly anchorPem: string;
  /** A CRL of the issuing CA that expires one day after the authority's `now`. */
  crl(options?: Partial<CrlOptions>): { readonly der: Buffer; readonly pem: string };
}

/** Two calls with the same name make two authorities with the same names and different keys. */
export function authority(options: Partial<AuthorityOptions> = {}): Authority {
  const { key = 'P-256', now = Date.now() } = options;
  const made = createAuthority({
    name: 'Example',
    ...options,
    now,
    root: { key: caKey(key), ...options.root },
    issuing: { key: caKey(key), ...options.issuing },
  });
  return {
    ...made,
    anchorPem: made.root.pem + made.issuing.pem,
    crl: (crl) =>
      issueCrl({ issuer: made.issuing, thisUpdate: now - 60_000, nextUpdate: now + 86_400_000, ...crl }),
  };
}

const spareKeys = new Map<KeyKind, KeyObject[]>();

/** EC keys are generated each time. RSA keys rotate among four, so that two authorities have different keys. */
function caKey(kind: KeyKind): KeyObject {
  if (!kind.startsWith('rsa')) return makeKey(kind);
  const keys = spareKeys.get(kind) ?? [];
  spareKeys.set(kind, keys);
  const key = keys.length < 4 ? makeKey(kind) : (keys.shift() as KeyObject);
  keys.push(key);
  return key;
}
