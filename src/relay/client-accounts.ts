/** How many messages each client has in flight in a relay thread, over all of its connections. */

/** A client is identified by its leaf certificate, in whatever encoding its signature is sent; without one by its address. */
export interface ClientAccount {
  /** `tbsSha256` of the leaf, or the address. */
  readonly leaf: string;
  /** Messages between their complete head and the end of their response; the owner adds and subtracts. */
  inFlight: number;
  connections: number;
}

/** Holds an account for each connected client. It is looked up once for a connection, never for a message. */
export class ClientAccounts {
  readonly #accounts = new Map<string, ClientAccount>();

  /** Counts one more connection of the client, and returns its account. */
  open(leaf: string): ClientAccount {
    let account = this.#accounts.get(leaf);
    if (account === undefined) {
      account = { leaf, inFlight: 0, connections: 0 };
      this.#accounts.set(leaf, account);
    }
    account.connections++;
    return account;
  }

  /** A connection of the client is closed. None of its messages may be in flight. */
  close(account: ClientAccount): void {
    if (--account.connections === 0) this.#accounts.delete(account.leaf);
  }
}
