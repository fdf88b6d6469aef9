/** The leaves of one anchor that are looked after: so many, the ones that were met last, and kept on disk. */
import { type Certificate, parseCertificate, tbsSha256Of } from '../pki/certificate.ts';
import { isIssuedBy } from '../pki/issued.ts';
import type { Cache } from './cache.ts';
import { forgetLeaf, loadLeaves, saveLeaf } from './leaf-store.ts';
import { forgetOcsp } from './ocsp/store.ts';

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
  /**
   * By `tbsSha256`, the one that was met last at the end: the certificate and its twin with another spelling of the
   * signature are one leaf, whose file bears the name of the one that came first.
   */
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
        if (leaf !== null && !this.#leaves.has(leaf.certificate.tbsSha256)) this.#set(leaf);
        else await this.#forget(sha256);
      }
    });
    await this.trim();
  }

  /** A leaf that is known becomes the one that was met last. */
  find(der: Uint8Array): Leaf | null {
    const key = keyOf(der);
    const leaf = key === null ? undefined : this.#leaves.get(key);
    if (key === null || leaf === undefined) return null;
    this.#leaves.delete(key);
    this.#set(leaf);
    return leaf;
  }

  /** null: no CA of the anchor has issued it, or it is not valid now. */
  add(der: Uint8Array): Leaf | null {
    const leaf = this.#read(der, false);
    if (leaf !== null) this.#set(leaf);
    return leaf;
  }

  async keep({ certificate }: Leaf): Promise<void> {
    await this.#options.cache.write(() => saveLeaf(this.#options.folder, certificate));
  }

  /** The anchor's certificates have changed: a leaf may have another issuer, or none any more. */
  reissue(): void {
    for (const [key, leaf] of this.#leaves) {
      const issuer = this.#issuerOf(leaf.certificate);
      if (issuer === null) this.#leaves.delete(key);
      else leaf.issuer = issuer;
    }
  }

  /** Drops what has expired and what is too many. */
  async trim(): Promise<void> {
    const { clock, limit } = this.#options;
    const surplus = this.#leaves.size - limit;
    const dropped = [...this.#leaves.values()].slice(0, Math.max(0, surplus));
    for (const leaf of this.#leaves.values()) if (clock() > leaf.certificate.notAfter) dropped.push(leaf);
    for (const { certificate } of dropped) this.#leaves.delete(certificate.tbsSha256);
    for (const { certificate } of dropped) await this.#forget(certificate.sha256);
  }

  #set(leaf: Leaf): void {
    this.#leaves.set(leaf.certificate.tbsSha256, leaf);
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
