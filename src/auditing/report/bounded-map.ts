/** Counts by key for a limited number of keys: clients and addresses are as many as somebody sends. */

export class BoundedMap<Value> {
  readonly entries = new Map<string, Value>();
  /** How often a key was not kept, because there were `max` others. */
  omitted = 0;
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  /** The value of the key, made if it is new; null: there is no more room. */
  at(key: string, make: () => Value): Value | null {
    const found = this.entries.get(key);
    if (found !== undefined) return found;
    if (this.entries.size >= this.#max) {
      this.omitted++;
      return null;
    }
    const made = make();
    this.entries.set(key, made);
    return made;
  }
}
