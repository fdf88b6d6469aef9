/** Finds the path through the certificates that a server sent, and what is missing, out of order or superfluous. */
import type { Certificate } from '../pki/certificate.ts';
import { isIssuedBy, isSelfSigned } from '../pki/issued.ts';
import { type Anchors, isAmong, issuerAmong } from './anchors.ts';

export interface SentChain {
  readonly certificates: readonly Certificate[];
  /** Positions from the leaf upwards: each was issued by the next. Starts with 0. */
  readonly path: readonly number[];
  /** The certificate at the end of `path`. */
  readonly top: Certificate;
  /** Whether each certificate of the path follows the one that it issued, with nothing in between. */
  readonly isOrdered: boolean;
  /** Positions that are not on the path. */
  readonly unrelated: readonly number[];
  /** Position of a root on the path; null: none was sent. */
  readonly root: number | null;
  /** The anchor that issued `top`, or `top` itself; null: none. */
  readonly anchor: Certificate | null;
}

/** `certificates`: at least one, as sent. */
export function readSentChain(certificates: readonly Certificate[], anchors: Anchors): SentChain | null {
  const path = pathOf(certificates);
  const top = certificates[path.at(-1) ?? 0];
  if (top === undefined) return null;
  return {
    certificates,
    path,
    top,
    isOrdered: path.every((position, index) => position === index),
    unrelated: certificates.map((_, position) => position).filter((position) => !path.includes(position)),
    root: isSelfSigned(top) ? (path.at(-1) ?? null) : null,
    anchor: isAmong(anchors, top) ? top : issuerAmong(anchors, top),
  };
}

function pathOf(certificates: readonly Certificate[]): number[] {
  const path = [0];
  for (;;) {
    const last = path.at(-1) ?? 0;
    const child = certificates[last];
    if (child === undefined || isSelfSigned(child)) return path;
    // The certificate that follows comes first: with cross-signed CAs several may fit.
    const others = [last + 1, ...certificates.keys()].filter((position) => !path.includes(position));
    const next = others.find((position) => {
      const parent = certificates[position];
      return parent !== undefined && isIssuedBy(child, parent);
    });
    if (next === undefined) return path;
    path.push(next);
  }
}

/** Where the issuer's certificate can be downloaded (authorityInfoAccess, RFC 5280 §4.2.2.1). */
export function issuerUrlsOf({ x509 }: Certificate): readonly string[] {
  const { infoAccess } = x509.toLegacyObject();
  const urls = (infoAccess as NodeJS.Dict<string[]> | undefined)?.['CA Issuers - URI'] ?? [];
  return urls.slice(0, 3);
}
