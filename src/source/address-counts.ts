/** Counts the open connections and unfinished handshakes of each address, for limits.connectionsPerAddress and limits.unfinishedHandshakesPerAddress. */
import { networkOf } from './address.ts';

interface Counts {
  connections: number;
  unfinished: number;
}

/** One connection in the counts of its address. Both methods may be called in any order, and more than once. */
export interface AddressShare {
  /** The handshake has ended. */
  handshakeDone(): void;
  /** The connection has closed. */
  release(): void;
}

interface ShareLimits {
  readonly connections: number;
  readonly unfinished: number;
}

export class AddressShares {
  /** By IPv4 address or IPv6 /64. An entry is deleted with its last connection, so there are never more entries than connections. */
  readonly #counts = new Map<string, Counts>();

  /** Number of addresses with open connections. */
  get size(): number {
    return this.#counts.size;
  }

  /** Counts one more connection of the address, or returns the limit that is reached. */
  reserve(address: string, limits: ShareLimits): AddressShare | 'connections' | 'unfinished' {
    const network = networkOf(address);
    const counts = this.#counts.get(network) ?? { connections: 0, unfinished: 0 };
    if (counts.connections >= limits.connections) return 'connections';
    if (counts.unfinished >= limits.unfinished) return 'unfinished';
    counts.connections++;
    counts.unfinished++;
    this.#counts.set(network, counts);
    return new Share(counts, () => this.#counts.delete(network));
  }
}

class Share implements AddressShare {
  readonly #counts: Counts;
  readonly #onEmpty: () => void;
  #unfinished = true;
  #open = true;

  constructor(counts: Counts, onEmpty: () => void) {
    this.#counts = counts;
    this.#onEmpty = onEmpty;
  }

  handshakeDone(): void {
    if (this.#unfinished) this.#counts.unfinished--;
    this.#unfinished = false;
  }

  release(): void {
    this.handshakeDone();
    if (!this.#open) return;
    this.#open = false;
    if (--this.#counts.connections === 0) this.#onEmpty();
  }
}
