/** How many messages each client has under way in a relay thread, over all of its connections. */

/** A client is who shows one leaf certificate, however its signature is spelled. */
export interface ClientAccount {
  /** `tbsSha256` of the leaf. */
  readonly leaf: string;
  /** Messages between their complete head and the end of their answer; the owner adds and subtracts. */
  inFlight: number;
  connections: number;
}

/** Holds the clients that are connected, and no others: found once a connection, never for a message. */
export class ClientAccounts {
  readonly #accounts = new Map<string, ClientAccount>();

  /** For one more connection of this client. */
  open(leaf: string): ClientAccount {
    let account = this.#accounts.get(leaf);
    if (account === undefined) {
      account = { leaf, inFlight: 0, connections: 0 };
      this.#accounts.set(leaf, account);
    }
    account.connections++;
    return account;
  }

  /** The connection is closed: no message of it is under way any more. */
  close(account: ClientAccount): void {
    if (--account.connections === 0) this.#accounts.delete(account.leaf);
  }
}
