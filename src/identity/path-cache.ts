/** Remembers the paths that passed under one policy, so that a known leaf costs a look-up and two comparisons. */
import type { X509Certificate } from 'node:crypto';
import { type Certificate, parseCertificate } from '../pki/certificate.ts';
import { type PathAnchor, type ValidatedPath, validatePath } from './path.ts';
import { deny, type Verdict } from './verdict.ts';

const MAX_PATHS = 1024;

/** Belongs to one set of anchors: others bring a new cache. */
export class PathCache {
  readonly anchors: readonly PathAnchor[];
  /** By SHA-256 of the leaf's DER; least recently used first. */
  readonly #paths = new Map<string, Verdict<ValidatedPath> & { allow: true }>();

  constructor(anchors: readonly PathAnchor[]) {
    this.anchors = anchors;
  }

  get size(): number {
    return this.#paths.size;
  }

  /** Whether these are its anchors: the same names and certificates (DER), in the same order. Reads none of them. */
  isOf(anchors: readonly { readonly name: string; readonly certificates: readonly Uint8Array[] }[]): boolean {
    return (
      anchors.length === this.anchors.length &&
      this.anchors.every(({ name, certificates }, index) => {
        const other = anchors[index];
        return (
          other?.name === name &&
          other.certificates.length === certificates.length &&
          certificates.every(({ der }, at) => der.equals(other.certificates[at] as Uint8Array))
        );
      })
    );
  }

  /** `now`: milliseconds since the epoch. A path is good only while every certificate on it is. */
  validate(leaf: X509Certificate, now: number): Verdict<ValidatedPath> {
    const key = leaf.fingerprint256;
    const known = this.#paths.get(key);
    if (known !== undefined) {
      const good = now >= known.permit.notBefore && now <= known.permit.notAfter;
      // While there is room the order is nobody's concern, and a Map that is always put in order is always made anew.
      if (good && this.#paths.size <= MAX_PATHS / 2) return known;
      this.#paths.delete(key);
      if (good) {
        this.#paths.set(key, known);
        return known;
      }
    }
    const certificate = read(leaf);
    if (certificate === null) return deny('untrusted', 'the leaf is not a certificate that RFC 5280 allows');
    const path = validatePath(certificate, { anchors: this.anchors, now });
    if (!path.allow) return path;
    for (const oldest of this.#paths.keys()) {
      if (this.#paths.size < MAX_PATHS) break;
      this.#paths.delete(oldest);
    }
    this.#paths.set(key, path);
    return path;
  }
}

function read(leaf: X509Certificate): Certificate | null {
  try {
    return parseCertificate(leaf.raw);
  } catch {
    return null;
  }
}
