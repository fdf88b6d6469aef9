/** What each address holds of a relay thread: its connections, and those of them whose handshake is not done. */
import { networkOf } from './address.ts';

interface Counts {
  connections: number;
  unfinished: number;
}

/** One connection's part of what its address holds. Both calls may come in any order, and more than once. */
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
  /** By IPv4 address or IPv6 /64. Only those that hold something, so never more than there are connections. */
  readonly #counts = new Map<string, Counts>();

  /** How many addresses hold something. */
  get size(): number {
    return this.#counts.size;
  }

  /** One more connection of this address, or which of the limits is reached. */
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
