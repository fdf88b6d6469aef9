/** What each address holds of a relay thread: its connections, and those of them whose handshake is not done. */
import { networkOf } from './address.ts';

interface Holding {
  connections: number;
  unfinished: number;
}

/** One connection's part of what its address holds. Both calls may come in any order, and more than once. */
export interface AddressShare {
  /** The handshake has ended. */
  handshakeDone(): void;
  /** The connection has closed. */
  leave(): void;
}

interface ShareLimits {
  readonly connections: number;
  readonly unfinished: number;
}

export class AddressShares {
  /** By IPv4 address or IPv6 /64. Only those that hold something, so never more than there are connections. */
  readonly #holdings = new Map<string, Holding>();

  /** How many addresses hold something. */
  get size(): number {
    return this.#holdings.size;
  }

  /** One more connection of this address, or which of the limits is reached. */
  enter(address: string, limits: ShareLimits): AddressShare | 'connections' | 'unfinished' {
    const network = networkOf(address);
    const holding = this.#holdings.get(network) ?? { connections: 0, unfinished: 0 };
    if (holding.connections >= limits.connections) return 'connections';
    if (holding.unfinished >= limits.unfinished) return 'unfinished';
    holding.connections++;
    holding.unfinished++;
    this.#holdings.set(network, holding);
    return new Share(holding, () => this.#holdings.delete(network));
  }
}

class Share implements AddressShare {
  readonly #holding: Holding;
  readonly #onEmpty: () => void;
  #unfinished = true;
  #open = true;

  constructor(holding: Holding, onEmpty: () => void) {
    this.#holding = holding;
    this.#onEmpty = onEmpty;
  }

  handshakeDone(): void {
    if (this.#unfinished) this.#holding.unfinished--;
    this.#unfinished = false;
  }

  leave(): void {
    this.handshakeDone();
    if (!this.#open) return;
    this.#open = false;
    if (--this.#holding.connections === 0) this.#onEmpty();
  }
}
