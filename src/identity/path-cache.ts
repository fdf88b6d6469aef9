/** Caches the paths that are valid under one set of anchors: a known leaf costs a look-up and two comparisons. */
import type { X509Certificate } from 'node:crypto';
import { readRest } from '../pki/certificate.ts';
import { LeafReader } from './leaf-reader.ts';
import { type PathAnchor, type ValidatedPath, validatePath } from './path.ts';
import { validateAlone } from './registered-path.ts';
import type { Denial, Verdict } from './verdict.ts';

const MAX_PATHS = 1024;
/** Unauthorized clients can present any number of leaves. */
const MAX_DENIALS = 256;

/** Belongs to one set of anchors: other anchors need a new cache. */
export class PathCache {
  readonly anchors: readonly PathAnchor[];
  readonly leaves: LeafReader;
  /** Under `trust.mode: registered` there are no anchors, and each path is the leaf alone. */
  readonly isAlone: boolean;
  /**
   * By SHA-256 of the leaf's DER with its signature: another encoding of the same certificate is validated again. Least
   * recently used first.
   */
  readonly #paths = new Map<string, Verdict<ValidatedPath> & { allow: true }>();
  /** Denials that do not depend on time, by the same key. */
  readonly #denials = new Map<string, Denial>();

  constructor(anchors: readonly PathAnchor[], leaves = new LeafReader(), { isAlone = false } = {}) {
    this.anchors = anchors;
    this.leaves = leaves;
    this.isAlone = isAlone;
  }

  get size(): number {
    return this.#paths.size;
  }

  /** Whether these are its anchors: the same names and certificates (DER), in the same order. Parses no certificate. */
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

  /** As validatePath(). `now`: milliseconds since the epoch. A cached path counts only while all of its certificates are valid. */
  validate(leaf: X509Certificate, now: number): Verdict<ValidatedPath> {
    const key = leaf.fingerprint256;
    const known = this.#paths.get(key);
    if (known !== undefined) {
      const good = now >= known.permit.notBefore && now <= known.permit.notAfter;
      // Up to half full the order is not kept, since constant reordering makes a Map rebuild its table.
      if (good && this.#paths.size <= MAX_PATHS / 2) return known;
      this.#paths.delete(key);
      if (good) {
        this.#paths.set(key, known);
        return known;
      }
    }
    const denied = this.#denials.get(key);
    if (denied !== undefined) return denied;
    const path = this.#find(leaf, now);
    if (path.allow) setBounded(this.#paths, MAX_PATHS, key, path);
    else if (path.reason === 'untrusted' || path.reason === 'ca_as_leaf')
      setBounded(this.#denials, MAX_DENIALS, key, path);
    return path;
  }

  #find(leaf: X509Certificate, now: number): Verdict<ValidatedPath> {
    const reading = this.leaves.read(leaf);
    if (!reading.ok) return reading.denial;
    try {
      const { certificate } = reading;
      const path = this.isAlone
        ? validateAlone(certificate, now)
        : validatePath(certificate, { anchors: this.anchors, now });
      // Not earlier: now the certificate is known to be signed by a CA of an anchor, or registered.
      if (path.allow) readRest(reading.certificate);
      return path;
    } catch (cause) {
      return this.leaves.refuse(leaf, cause);
    }
  }
}

function setBounded<T>(map: Map<string, T>, limit: number, key: string, value: T): void {
  for (const oldest of map.keys()) {
    if (map.size < limit) break;
    map.delete(oldest);
  }
  map.set(key, value);
}
