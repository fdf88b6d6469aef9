/** Requests the revocation status of leaves seen for the first time: one request per leaf, with a time limit for waiting. */
import type { UnseenLeaf } from '../identity/client-checks.ts';

/** Identifies a leaf under an anchor, in both threads. */
export interface ContactKey {
  readonly anchor: string;
  /** Lower hex SHA-256 of the leaf's DER. */
  readonly leaf: string;
}

export class FirstContacts {
  /** Sends the leaf to the control thread, which replies after it has published a snapshot with the sources' results. */
  readonly #request: (unseen: UnseenLeaf) => void;
  readonly #pending = new Map<string, { readonly answered: Promise<void>; readonly resolve: () => void }>();

  constructor(request: (unseen: UnseenLeaf) => void) {
    this.#request = request;
  }

  /** Resolves when the snapshot in use has the results of the leaf's revocation sources, failures included. */
  request(unseen: UnseenLeaf): Promise<void> {
    const key = keyOf({ anchor: unseen.anchor, leaf: unseen.leaf.sha256 });
    let pending = this.#pending.get(key);
    if (pending === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>();
      pending = { answered: promise, resolve };
      this.#pending.set(key, pending);
      this.#request(unseen);
    }
    return pending.answered;
  }

  /** As `request`, but resolves after `limit` milliseconds at the latest. */
  async requestWithin(unseen: UnseenLeaf, limit: number): Promise<void> {
    const late = Promise.withResolvers<void>();
    // The waiting connection keeps the thread alive; this timer must not do so once the connection has closed.
    const timer = setTimeout(late.resolve, limit).unref();
    await Promise.race([this.request(unseen), late.promise]);
    clearTimeout(timer);
  }

  /** To be called when the control thread has replied. */
  complete(contact: ContactKey): void {
    const key = keyOf(contact);
    this.#pending.get(key)?.resolve();
    this.#pending.delete(key);
  }
}

/** Unambiguous, because the digest has no colon. */
function keyOf({ anchor, leaf }: ContactKey): string {
  return `${leaf}:${anchor}`;
}
