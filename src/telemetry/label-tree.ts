/** Entries by the values of their labels, found without a joined key: joining and hashing one costs more than the count. */

export class LabelTree<Entry> {
  entry: Entry | null = null;
  readonly #branches = new Map<string, LabelTree<Entry>>();

  /** The part of the tree below `label`, made on first use. */
  at(label: string): LabelTree<Entry> {
    let branch = this.#branches.get(label);
    if (branch === undefined) {
      branch = new LabelTree();
      this.#branches.set(label, branch);
    }
    return branch;
  }

  /** The same below each of `labels` in turn. */
  below(labels: readonly string[]): LabelTree<Entry> {
    let tree: LabelTree<Entry> = this;
    for (const label of labels) tree = tree.at(label);
    return tree;
  }

  /** Returns every entry and empties the tree. */
  take(): Entry[] {
    const entries: Entry[] = [];
    this.#collect(entries);
    this.entry = null;
    this.#branches.clear();
    return entries;
  }

  #collect(entries: Entry[]): void {
    if (this.entry !== null) entries.push(this.entry);
    for (const branch of this.#branches.values()) branch.#collect(entries);
  }
}
