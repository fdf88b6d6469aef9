/** The connections of one endpoint that wait for their next message: anybody's, or each for the one that it speaks for. */
import type { UpstreamConnection, UpstreamUser } from './connection.ts';

export class IdleConnections {
  /** The one that was used last is the last. */
  #shared: UpstreamConnection[] = [];
  /** A user has one message at a time, and so at most one connection that waits for its next. */
  readonly #owned = new Map<UpstreamUser, UpstreamConnection>();

  get count(): number {
    return this.#shared.length + this.#owned.size;
  }

  /** The one for this user, perhaps ended or too old; it waits no longer. undefined: there is none. */
  pick(user: UpstreamUser): UpstreamConnection | undefined {
    const own = this.#owned.get(user);
    if (own === undefined) return this.#shared.pop();
    this.#owned.delete(user);
    return own;
  }

  /** `owner`: nobody else gets it; null: anybody may. */
  add(connection: UpstreamConnection, owner: UpstreamUser | null): void {
    if (owner === null) this.#shared.push(connection);
    else this.#owned.set(owner, connection);
  }

  /** Forgets what is unfit, and closes it unless `lay` does otherwise, with what has ended. */
  drop(
    unfit: (connection: UpstreamConnection) => boolean,
    lay: (connection: UpstreamConnection) => void = (connection) => connection.destroy(),
  ): void {
    const stays = (connection: UpstreamConnection) => {
      if (connection.ended) return false;
      if (!unfit(connection)) return true;
      lay(connection);
      return false;
    };
    this.#shared = this.#shared.filter(stays);
    for (const [owner, connection] of this.#owned) if (!stays(connection)) this.#owned.delete(owner);
  }
}
