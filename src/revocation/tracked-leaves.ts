/** The most recently used leaves of one trust anchor, whose revocation is kept up to date; kept on disk. */
import { type Certificate, parseCertificate, tbsSha256Of } from '../pki/certificate.ts';
import { isIssuedBy } from '../pki/issued.ts';
import type { Cache } from './cache.ts';
import { deleteLeaf, loadLeaves, saveLeaf } from './leaf-store.ts';
import { deleteOcsp } from './ocsp/store.ts';

export interface TrackedLeaf {
  readonly certificate: Certificate;
  issuer: Certificate;
  /** Loaded from disk after a start: no handshake waits for it. */
  readonly isRestored: boolean;
  /** Each of its sources has answered once, successfully or not. */
  isAnswered: boolean;
  /** Resolves when `isAnswered` becomes true. */
  answered: Promise<void>;
}

interface TrackedLeavesOptions {
  readonly folder: string;
  /** Folder of the OCSP responses about them. */
  readonly ocspFolder: string;
  /** The anchor's certificates, the root first. */
  readonly certificates: () => readonly Certificate[];
  /** Maximum number of leaves. */
  readonly limit: number;
  readonly clock: () => number;
  readonly cache: Cache;
}

export class TrackedLeaves implements Iterable<TrackedLeaf> {
  readonly #options: TrackedLeavesOptions;
  /**
   * By `tbsSha256`, the most recently used last. A certificate and its copy with another encoding of the signature are
   * one leaf; its file has the SHA-256 of the one that came first.
   */
  readonly #leaves = new Map<string, TrackedLeaf>();

  constructor(options: TrackedLeavesOptions) {
    this.#options = options;
  }

  [Symbol.iterator](): Iterator<TrackedLeaf> {
    return this.#leaves.values();
  }

  /** Loads the leaves on disk; deletes those that no CA of the anchor has issued or that have expired. */
  async restore(): Promise<void> {
    const { folder, cache } = this.#options;
    await cache.read(async () => {
      for await (const { der, sha256 } of loadLeaves(folder)) {
        const leaf = this.#read(der, true);
        if (leaf !== null && !this.#leaves.has(leaf.certificate.tbsSha256)) this.#set(leaf);
        else await this.#delete(sha256);
      }
    });
    await this.trim();
  }

  /** Finds a leaf and marks it as the most recently used; null if it is not tracked. */
  find(der: Uint8Array): TrackedLeaf | null {
    const key = keyOf(der);
    const leaf = key === null ? undefined : this.#leaves.get(key);
    if (key === null || leaf === undefined) return null;
    this.#leaves.delete(key);
    this.#set(leaf);
    return leaf;
  }

  /** null: no CA of the anchor has issued it, it has expired, or it cannot be parsed. */
  add(der: Uint8Array): TrackedLeaf | null {
    const leaf = this.#read(der, false);
    if (leaf !== null) this.#set(leaf);
    return leaf;
  }

  async save({ certificate }: TrackedLeaf): Promise<void> {
    await this.#options.cache.write(() => saveLeaf(this.#options.folder, certificate));
  }

  /** The anchor's certificates have changed: finds each issuer again, and drops leaves that no longer have one. */
  certificatesChanged(): void {
    for (const [key, leaf] of this.#leaves) {
      const issuer = this.#issuerOf(leaf.certificate);
      if (issuer === null) this.#leaves.delete(key);
      else leaf.issuer = issuer;
    }
  }

  /** Drops expired leaves, and the least recently used above the limit. */
  async trim(): Promise<void> {
    const { clock, limit } = this.#options;
    const surplus = this.#leaves.size - limit;
    const dropped = [...this.#leaves.values()].slice(0, Math.max(0, surplus));
    for (const leaf of this.#leaves.values()) if (clock() > leaf.certificate.notAfter) dropped.push(leaf);
    for (const { certificate } of dropped) this.#leaves.delete(certificate.tbsSha256);
    for (const { certificate } of dropped) await this.#delete(certificate.sha256);
  }

  #set(leaf: TrackedLeaf): void {
    this.#leaves.set(leaf.certificate.tbsSha256, leaf);
  }

  async #delete(sha256: string): Promise<void> {
    const { folder, ocspFolder, cache } = this.#options;
    await cache.write(() => deleteLeaf(folder, sha256));
    await cache.write(() => deleteOcsp({ folder: ocspFolder, sha256 }));
  }

  #read(der: Uint8Array, isRestored: boolean): TrackedLeaf | null {
    const certificate = readLeaf(der);
    const issuer = certificate === null ? null : this.#issuerOf(certificate);
    if (certificate === null || issuer === null || this.#options.clock() > certificate.notAfter) return null;
    return { certificate, issuer, isRestored, isAnswered: false, answered: Promise.resolve() };
  }

  /** Of several certificates with the issuer's key the one that expires last. */
  #issuerOf(leaf: Certificate): Certificate | null {
    const [issuer = null] = this.#options
      .certificates()
      .filter((certificate) => isIssuedBy(leaf, certificate))
      .sort((a, b) => b.notAfter - a.notAfter);
    return issuer;
  }
}

function keyOf(der: Uint8Array): string | null {
  try {
    return tbsSha256Of(der);
  } catch {
    return null;
  }
}

function readLeaf(der: Uint8Array): Certificate | null {
  try {
    return parseCertificate(der);
  } catch {
    return null;
  }
}
