/** The difference between two sets of anchors, as `changed` events and `trust diff` report it. */
import type { Certificate } from '../pki/certificate.ts';

/** The certificates of an anchor, usable or not, and where each came from: SHA-256 → URL or file. */
export interface SourcedAnchor {
  readonly name: string;
  readonly certificates: readonly Certificate[];
  readonly origins: ReadonlyMap<string, string>;
}

/** One certificate of an anchor, with the fields that reports show. */
export interface AnchoredCertificate {
  readonly anchor: string;
  /** RFC 4514 string. */
  readonly subject: string;
  /** Lower hex. */
  readonly serial: string;
  /** Lower hex of the DER's SHA-256. */
  readonly sha256: string;
  /** The URL or the file that it came from. */
  readonly source: string;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
}

export interface AnchorChange {
  readonly added: readonly AnchoredCertificate[];
  readonly removed: readonly AnchoredCertificate[];
}

/** Compares by anchor name and certificate; where a certificate came from and the order of anchors are ignored. */
export function diffAnchors(before: readonly SourcedAnchor[], after: readonly SourcedAnchor[]): AnchorChange {
  const [old, current] = [certificatesByKey(before), certificatesByKey(after)];
  return {
    added: [...current].filter(([key]) => !old.has(key)).map(([, certificate]) => certificate),
    removed: [...old].filter(([key]) => !current.has(key)).map(([, certificate]) => certificate),
  };
}

/** The key is the SHA-256, which has a fixed length, and the anchor name: no two certificates share one. */
function certificatesByKey(anchors: readonly SourcedAnchor[]): ReadonlyMap<string, AnchoredCertificate> {
  return new Map(
    anchors.flatMap(({ name, certificates, origins }) =>
      certificates.map(({ subject, serial, sha256, notBefore, notAfter }) => {
        const source = origins.get(sha256) ?? '';
        return [
          `${sha256} ${name}`,
          { anchor: name, subject, serial, sha256, source, notBefore, notAfter },
        ] as const;
      }),
    ),
  );
}
