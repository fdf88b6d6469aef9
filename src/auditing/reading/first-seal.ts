/** The seal by which a file is placed among the others. */
import type { KeyObject } from 'node:crypto';
import { checkSignature, type ReadSeal } from '../../audit/seals/seal-reader.ts';

export type PlacingSeal = Pick<ReadSeal, 'chain' | 'seq' | 'previous'>;

/** Far more than a file has before two seals agree. */
const maxSeals = 100;

/** An altered seal at the begin must not change the order, so that two seals have to agree. */
class AgreeingSeals {
  #last: ReadSeal | null = null;
  first: ReadSeal | null = null;
  isKnown = false;

  add(seal: ReadSeal): void {
    const last = this.#last;
    this.first ??= seal;
    this.#last = seal;
    if (this.isKnown || last === null || seal.chain !== last.chain || seal.seq !== last.seq + 1) return;
    this.first = last;
    this.isKnown = true;
  }
}

export class FirstSeal {
  readonly #keys: ReadonlyMap<string, KeyObject> | null;
  readonly #all = new AgreeingSeals();
  /** Those with a right signature; what was made without the key must not change the order either. */
  readonly #signed = new AgreeingSeals();
  #seals = 0;

  /** `keys`: the public keys by their ids; null: signatures do not count. */
  constructor(keys: ReadonlyMap<string, KeyObject> | null) {
    this.#keys = keys;
  }

  /** The first one that a second one follows, or else the first; null: none yet. */
  get found(): PlacingSeal | null {
    return this.#signed.first ?? this.#all.first;
  }

  /** Further seals do not change it. */
  get isKnown(): boolean {
    const decisive = this.#keys === null ? this.#all : this.#signed;
    return decisive.isKnown || this.#seals >= maxSeals;
  }

  add(seal: ReadSeal, line: Buffer): void {
    this.#seals++;
    this.#all.add(seal);
    const keys = this.#keys;
    if (keys !== null && checkSignature(seal, { line, keys }) === 'valid') this.#signed.add(seal);
  }
}
