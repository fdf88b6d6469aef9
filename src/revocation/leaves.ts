/** The leaves of one anchor that are looked after: so many, the ones that were met last, and kept on disk. */
import { type Certificate, parseCertificate } from '../pki/certificate.ts';
import { isIssuedBy } from '../pki/issued.ts';
import type { Cache } from './cache.ts';
import { forgetLeaf, loadLeaves, saveLeaf } from './leaf-store.ts';
import { forgetOcsp } from './ocsp-store.ts';

export interface Leaf {
  readonly certificate: Certificate;
  issuer: Certificate;
  /** From the disk: nobody waits for it. */
  readonly isRecalled: boolean;
  /** Each of its sources has answered once. */
  isAnswered: boolean;
  /** Resolves when that is so. */
  answered: Promise<void>;
}

export interface LeavesOptions {
  readonly folder: string;
  /** Where the OCSP answers about them are. */
  readonly ocspFolder: string;
  /** The anchor's certificates, the root first. */
  readonly certificates: () => readonly Certificate[];
  /** How many there are at most. */
  readonly limit: number;
  readonly clock: () => number;
  readonly cache: Cache;
}

export class Leaves implements Iterable<Leaf> {
  readonly #options: LeavesOptions;
  /** By lower hex SHA-256, the one that was met last at the end. */
  readonly #leaves = new Map<string, Leaf>();

  constructor(options: LeavesOptions) {
    this.#options = options;
  }

  [Symbol.iterator](): Iterator<Leaf> {
    return this.#leaves.values();
  }

  /** Takes those from the disk; one that no CA of the anchor has issued, or that has expired, is forgotten. */
  async recall(): Promise<void> {
    const { folder, cache } = this.#options;
    await cache.read(async () => {
      for await (const { der, sha256 } of loadLeaves(folder)) {
        const leaf = this.#read(der, true);
        if (leaf !== null) this.#leaves.set(sha256, leaf);
        else await this.#forget(sha256);
      }
    });
    await this.trim();
  }

  /** A leaf that is known becomes the one that was met last. */
  find(sha256: string): Leaf | null {
    const leaf = this.#leaves.get(sha256);
    if (leaf === undefined) return null;
    this.#leaves.delete(sha256);
    this.#leaves.set(sha256, leaf);
    return leaf;
  }

  /** null: no CA of the anchor has issued it, or it is not valid now. */
  add(der: Uint8Array): Leaf | null {
    const leaf = this.#read(der, false);
    if (leaf !== null) this.#leaves.set(leaf.certificate.sha256, leaf);
    return leaf;
  }

  async keep({ certificate }: Leaf): Promise<void> {
    await this.#options.cache.write(() => saveLeaf(this.#options.folder, certificate));
  }

  /** The anchor's certificates have changed: a leaf may have another issuer, or none any more. */
  reissue(): void {
    for (const [sha256, leaf] of this.#leaves) {
      const issuer = this.#issuerOf(leaf.certificate);
      if (issuer === null) this.#leaves.delete(sha256);
      else leaf.issuer = issuer;
    }
  }

  /** Drops what has expired and what is too many. */
  async trim(): Promise<void> {
    const { clock, limit } = this.#options;
    const surplus = this.#leaves.size - limit;
    const dropped = [...this.#leaves.keys()].slice(0, Math.max(0, surplus));
    for (const [sha256, { certificate }] of this.#leaves)
      if (clock() > certificate.notAfter) dropped.push(sha256);
    for (const sha256 of dropped) this.#leaves.delete(sha256);
    for (const sha256 of dropped) await this.#forget(sha256);
  }

  async #forget(sha256: string): Promise<void> {
    const { folder, ocspFolder, cache } = this.#options;
    await cache.write(() => forgetLeaf(folder, sha256));
    await cache.write(() => forgetOcsp({ folder: ocspFolder, sha256 }));
  }

  #read(der: Uint8Array, isRecalled: boolean): Leaf | null {
    const certificate = readLeaf(der);
    const issuer = certificate === null ? null : this.#issuerOf(certificate);
    if (certificate === null || issuer === null || this.#options.clock() > certificate.notAfter) return null;
    return { certificate, issuer, isRecalled, isAnswered: false, answered: Promise.resolve() };
  }

  /** Of several certificates for one key the one that lasts longest. */
  #issuerOf(leaf: Certificate): Certificate | null {
    const [issuer = null] = this.#options
      .certificates()
      .filter((certificate) => isIssuedBy(leaf, certificate))
      .sort((a, b) => b.notAfter - a.notAfter);
    return issuer;
  }
}

function readLeaf(der: Uint8Array): Certificate | null {
  try {
    return parseCertificate(der);
  } catch {
    return null;
  }
}
