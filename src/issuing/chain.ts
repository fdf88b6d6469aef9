/** Finds the chain of a certificate among others: its issuer, the issuer of that, and so on. */
import type { Certificate } from '../pki/certificate.ts';
import { isIssuedBy } from '../pki/issued.ts';

export interface Chain {
  /** The issuers in order, without the certificate itself. */
  readonly issuers: readonly Certificate[];
  /** Those that are neither the certificate nor on its chain. */
  readonly others: readonly Certificate[];
}

/** Copies of a certificate count once. */
export function chainOf(leaf: Certificate, certificates: readonly Certificate[]): Chain {
  const rest = new Map(certificates.map((certificate) => [certificate.sha256, certificate]));
  rest.delete(leaf.sha256);
  const issuers: Certificate[] = [];
  for (let child = leaf; ; ) {
    const parent = [...rest.values()].find((each) => isIssuedBy(child, each));
    if (parent === undefined) return { issuers, others: [...rest.values()] };
    rest.delete(parent.sha256);
    issuers.push(parent);
    child = parent;
  }
}
