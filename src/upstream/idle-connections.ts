/** The idle connections of one endpoint: shared by all users, or each reserved for one. */
import type { UpstreamConnection } from './connection.ts';
import type { UpstreamUser } from './connection-roles.ts';

export class IdleConnections {
  /** The most recently used one is the last. */
  #shared: UpstreamConnection[] = [];
  /** One at most for each user, because a user has one message at a time. */
  readonly #reserved = new Map<UpstreamUser, UpstreamConnection>();

  get count(): number {
    return this.#shared.length + this.#reserved.size;
  }

  /** Removes and returns an idle connection for `user`, which may have ended or expired; undefined if none. */
  pick(user: UpstreamUser): UpstreamConnection | undefined {
    const reserved = this.#reserved.get(user);
    if (reserved === undefined) return this.#shared.pop();
    this.#reserved.delete(user);
    return reserved;
  }

  /** `reservedFor`: the only user who can pick it; null: any user can. */
  add(connection: UpstreamConnection, reservedFor: UpstreamUser | null): void {
    if (reservedFor === null) this.#shared.push(connection);
    else this.#reserved.set(reservedFor, connection);
  }

  /** Removes every connection that has ended, and every one that is `unfit`, which is passed to `dispose`. */
  drop(
    unfit: (connection: UpstreamConnection) => boolean,
    dispose: (connection: UpstreamConnection) => void = (connection) => connection.destroy(),
  ): void {
    const stays = (connection: UpstreamConnection) => {
      if (connection.ended) return false;
      if (!unfit(connection)) return true;
      dispose(connection);
      return false;
    };
    this.#shared = this.#shared.filter(stays);
    for (const [user, connection] of this.#reserved) if (!stays(connection)) this.#reserved.delete(user);
  }
}
