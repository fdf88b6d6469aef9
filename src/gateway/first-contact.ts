/** Has the revocation of leaves looked after that nobody was told of: once for each, and waited for only so long. */
import type { UnseenLeaf } from '../identity/client-checks.ts';

/** A leaf under an anchor, as both threads name it. */
export interface ContactKey {
  readonly anchor: string;
  /** Lower hex SHA-256 of the leaf's DER. */
  readonly leaf: string;
}

export class FirstContacts {
  /** Tells the control thread, which answers once the leaf's sources have, after the snapshot that holds it all. */
  readonly #tell: (unseen: UnseenLeaf) => void;
  readonly #pending = new Map<string, { readonly answered: Promise<void>; readonly resolve: () => void }>();

  constructor(tell: (unseen: UnseenLeaf) => void) {
    this.#tell = tell;
  }

  /** Resolves when the snapshot in use holds what the leaf's sources say, or that they say nothing. */
  tell(unseen: UnseenLeaf): Promise<void> {
    const key = keyOf({ anchor: unseen.anchor, leaf: unseen.leaf.sha256 });
    let pending = this.#pending.get(key);
    if (pending === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>();
      pending = { answered: promise, resolve };
      this.#pending.set(key, pending);
      this.#tell(unseen);
    }
    return pending.answered;
  }

  /** The same, for `limit` milliseconds at most. */
  async await(unseen: UnseenLeaf, limit: number): Promise<void> {
    const late = Promise.withResolvers<void>();
    // The connection that waits keeps the thread alive, and when it has gone nothing does.
    const timer = setTimeout(late.resolve, limit).unref();
    await Promise.race([this.tell(unseen), late.promise]);
    clearTimeout(timer);
  }

  /** The control thread has answered. */
  answered(contact: ContactKey): void {
    const key = keyOf(contact);
    this.#pending.get(key)?.resolve();
    this.#pending.delete(key);
  }
}

/** The digest has no colon, so no two pairs make one key. */
function keyOf({ anchor, leaf }: ContactKey): string {
  return `${leaf}:${anchor}`;
}
