/** Remembers the paths that passed under one policy, so that a known leaf costs a look-up and two comparisons. */
import type { X509Certificate } from 'node:crypto';
import { readRest } from '../pki/certificate.ts';
import { LeafReader } from './leaf-reader.ts';
import { type PathAnchor, type ValidatedPath, validatePath } from './path.ts';
import type { Denial, Verdict } from './verdict.ts';

const MAX_PATHS = 1024;
/** Of strangers, who can bring any number. */
const MAX_REFUSALS = 256;

/** Belongs to one set of anchors: others bring a new cache. */
export class PathCache {
  readonly anchors: readonly PathAnchor[];
  readonly leaves: LeafReader;
  /**
   * By SHA-256 of the leaf's DER, signature included: a path that passed vouches for no other spelling of it. Least
   * recently used first.
   */
  readonly #paths = new Map<string, Verdict<ValidatedPath> & { allow: true }>();
  /** Refusals that time does not change, likewise. */
  readonly #refusals = new Map<string, Denial>();

  constructor(anchors: readonly PathAnchor[], leaves = new LeafReader()) {
    this.anchors = anchors;
    this.leaves = leaves;
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
    const refused = this.#refusals.get(key);
    if (refused !== undefined) return refused;
    const path = this.#find(leaf, now);
    if (path.allow) setBounded(this.#paths, MAX_PATHS, key, path);
    else if (path.reason === 'untrusted' || path.reason === 'ca_as_leaf')
      setBounded(this.#refusals, MAX_REFUSALS, key, path);
    return path;
  }

  #find(leaf: X509Certificate, now: number): Verdict<ValidatedPath> {
    const reading = this.leaves.read(leaf);
    if (!reading.ok) return reading.denial;
    try {
      const path = validatePath(reading.certificate, { anchors: this.anchors, now });
      // Only now, of a certificate that an anchor's CA has signed.
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
