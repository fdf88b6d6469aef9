/**
 * The addresses of an endpoint's host. A name is asked for again while it is in use, never while a message waits.
 *
 * The system's resolver is asked (getaddrinfo), for it alone knows the hosts file, search domains and whatever else
 * nsswitch.conf names. It tells no TTL: an answer counts as fresh for five seconds, which no sane TTL is below, and
 * is used beyond that until a new one has come.
 */
import dns from 'node:dns';
import { isIP } from 'node:net';

/** Milliseconds. */
const FRESH_MS = 5000;
/** Between two questions while none of the addresses can be connected to. */
const DOUBT_MS = 100;

export type Resolve = (host: string) => Promise<readonly string[]>;

/** In the resolver's order, which is RFC 6724's. */
const askSystem: Resolve = (host) =>
  new Promise((resolve, reject) => {
    dns.lookup(host, { all: true, order: 'verbatim' }, (error, found) => {
      if (error === null) resolve(found.map(({ address }) => address));
      else reject(error);
    });
  });

export interface AddressesOptions {
  /** A name, or an address, which is its own only one. */
  readonly host: string;
  /** Some that were known are no more. */
  readonly onGone?: () => void;
  /** The resolver failed while no message waited for it: what was known stays in use. */
  readonly onFailed?: (error: NodeJS.ErrnoException) => void;
  readonly resolve?: Resolve;
}

export class Addresses {
  readonly #host: string;
  readonly #onGone: () => void;
  readonly #onFailed: (error: NodeJS.ErrnoException) => void;
  readonly #resolve: Resolve;
  readonly #isName: boolean;
  #known: readonly string[] = [];
  #askedAt = Number.NEGATIVE_INFINITY;
  #doubtedAt = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | null = null;

  constructor({ host, onGone = () => {}, onFailed = () => {}, resolve = askSystem }: AddressesOptions) {
    this.#host = host;
    this.#onGone = onGone;
    this.#onFailed = onFailed;
    this.#resolve = resolve;
    this.#isName = isIP(host) === 0;
    if (!this.#isName) this.#known = [host];
  }

  /** What is known, the address that worked last first; empty: nothing yet. */
  get known(): readonly string[] {
    return this.#known;
  }

  has(address: string): boolean {
    return this.#known.includes(address);
  }

  /** In use at `now` (performance.now(), ms): an answer that is not fresh is replaced in the background. */
  touch(now: number): void {
    if (now - this.#askedAt > FRESH_MS) this.#askAgain();
  }

  /** None of them could be connected to: asked for at once, so that the next message finds where the name leads now. */
  doubt(): void {
    const now = performance.now();
    if (this.#known.length === 0 || now - this.#doubtedAt < DOUBT_MS) return;
    this.#doubtedAt = now;
    this.#askAgain();
  }

  /** Resolves when an answer is known; rejects with the resolver's error, which leaves what was known as it is. */
  ask(): Promise<void> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  /** A connection was made to it: the next one begins there. */
  worked(address: string): void {
    if (this.#known[0] === address || !this.has(address)) return;
    this.#known = [address, ...this.#known.filter((other) => other !== address)];
  }

  #askAgain(): void {
    if (this.#isName) this.ask().catch(this.#onFailed);
  }

  async #ask(): Promise<void> {
    this.#askedAt = performance.now();
    const found = [...new Set(await this.#resolve(this.#host))];
    const gone = this.#known.some((address) => !found.includes(address));
    const [first] = this.#known;
    this.#known = found;
    if (first !== undefined) this.worked(first);
    if (gone) this.#onGone();
  }
}
