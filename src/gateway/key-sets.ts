/** The key sets of the present snapshot, compiled. Guards that outlive a snapshot find the present keys here. */
import { type CompiledKeySet, compileKeySet } from '../jose/compiled-key-set.ts';
import type { KeySetMaterial } from '../policy/snapshot.ts';

export class KeySets {
  #sets: ReadonlyMap<string, CompiledKeySet> = new Map();

  /** A set with the same keys as before stays the same object. */
  update(material: readonly KeySetMaterial[]): void {
    const before = this.#sets;
    this.#sets = new Map(
      material.flatMap(({ source, keys }) =>
        keys === null ? [] : [[source, compileKeySet(keys, before.get(source) ?? null)]],
      ),
    );
  }

  /** null: no key set of this source could be read yet. */
  get(source: string): CompiledKeySet | null {
    return this.#sets.get(source) ?? null;
  }
}
