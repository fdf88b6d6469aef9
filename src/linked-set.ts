/**
 * Who is here, in the order of coming. A Set of things that come and go grows and shrinks all the time, and each of its
 * outgrown tables, once V8 has taken it for old, keeps all later tables and what was in them until a full collection.
 */

/** One member's: it leaves with it. */
export interface Place<Member> {
  member: Member | null;
  before: Place<Member> | null;
  after: Place<Member> | null;
}

export class Roll<Member> {
  #first: Place<Member> | null = null;
  #last: Place<Member> | null = null;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  enter(member: Member): Place<Member> {
    const place: Place<Member> = { member, before: this.#last, after: null };
    if (this.#last === null) this.#first = place;
    else this.#last.after = place;
    this.#last = place;
    this.#size++;
    return place;
  }

  /** Nothing happens where it has left before. */
  leave(place: Place<Member> | null): void {
    if (place === null || place.member === null) return;
    const { before, after } = place;
    if (before === null) this.#first = after;
    else before.after = after;
    if (after === null) this.#last = before;
    else after.before = before;
    place.member = null;
    place.before = null;
    place.after = null;
    this.#size--;
  }

  /** A copy, the longest here first: while it is gone through anybody may leave. */
  members(): Member[] {
    const members: Member[] = [];
    for (let place = this.#first; place !== null; place = place.after) members.push(place.member as Member);
    return members;
  }
}
