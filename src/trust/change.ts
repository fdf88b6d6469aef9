/** What one set of anchors has that another has not: the substance of every record of changed trust. */
import type { Certificate } from '../pki/certificate.ts';

/** A set of certificates, sound or not, and where each of them came from: SHA-256 → URL or file. */
export interface SourcedAnchor {
  readonly name: string;
  readonly certificates: readonly Certificate[];
  readonly origins: ReadonlyMap<string, string>;
}

/** One certificate in use, as far as it is told to people. */
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

/** A certificate is the same under the same anchor, wherever it came from; the order of anchors is no difference. */
export function diffAnchors(before: readonly SourcedAnchor[], after: readonly SourcedAnchor[]): AnchorChange {
  const [old, current] = [before, after].map(listCertificates) as [Held, Held];
  return {
    added: [...current].filter(([key]) => !old.has(key)).map(([, certificate]) => certificate),
    removed: [...old].filter(([key]) => !current.has(key)).map(([, certificate]) => certificate),
  };
}

type Held = ReadonlyMap<string, AnchoredCertificate>;

/** By anchor and SHA-256; a digest has one length, so no two keys run into each other. */
function listCertificates(anchors: readonly SourcedAnchor[]): Held {
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
