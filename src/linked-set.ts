/**
 * A set in insertion order, as a doubly linked list. A `Set` whose members come and go all the time grows and shrinks its
 * table; once V8 has promoted an outgrown table to the old generation, that table keeps all later tables and their former
 * members alive until a full collection.
 */

/** Returned by `add`, needed by `delete`. `member` is null after deletion. */
export interface LinkedSetEntry<Member> {
  member: Member | null;
  previous: LinkedSetEntry<Member> | null;
  next: LinkedSetEntry<Member> | null;
}

export class LinkedSet<Member> {
  #first: LinkedSetEntry<Member> | null = null;
  #last: LinkedSetEntry<Member> | null = null;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(member: Member): LinkedSetEntry<Member> {
    const entry: LinkedSetEntry<Member> = { member, previous: this.#last, next: null };
    if (this.#last === null) this.#first = entry;
    else this.#last.next = entry;
    this.#last = entry;
    this.#size++;
    return entry;
  }

  /** Does nothing if `entry` is null or was deleted before. */
  delete(entry: LinkedSetEntry<Member> | null): void {
    if (entry === null || entry.member === null) return;
    const { previous, next } = entry;
    if (previous === null) this.#first = next;
    else previous.next = next;
    if (next === null) this.#last = previous;
    else next.previous = previous;
    entry.member = null;
    entry.previous = null;
    entry.next = null;
    this.#size--;
  }

  /** A copy, oldest first: members may be deleted while a caller iterates over it. */
  members(): Member[] {
    const members: Member[] = [];
    for (let entry = this.#first; entry !== null; entry = entry.next) members.push(entry.member as Member);
    return members;
  }
}
