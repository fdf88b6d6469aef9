/**
 * The addresses of an endpoint's host. A name in use is resolved again in the background; no message waits for that.
 *
 * Uses the system's resolver (getaddrinfo), because only it reads the hosts file, the search domains and the other
 * sources of nsswitch.conf. It returns no TTL: an answer is fresh for five seconds, and is used after that until the
 * next answer arrives.
 */
import dns from 'node:dns';
import { isIP } from 'node:net';

/** An answer is resolved again after this time, milliseconds. */
const FRESH_MS = 5000;
/**
 * Failed connections start at most one query in this time, milliseconds. It does not limit queries for a stale answer, or
 * while no address is known.
 */
const RETRY_MS = 100;

/** An IP address and port, or the path of a Unix socket. */
export type SocketAddress =
  | { readonly host: string; readonly port: number }
  | { readonly path: string; readonly host?: never };

export type Resolve = (host: string) => Promise<readonly string[]>;

/** In the resolver's order (RFC 6724). */
const resolveBySystem: Resolve = (host) =>
  new Promise((resolve, reject) => {
    dns.lookup(host, { all: true, order: 'verbatim' }, (error, found) => {
      if (error === null) resolve(found.map(({ address }) => address));
      else reject(error);
    });
  });

interface AddressesOptions {
  /** A name, or an IP address, which is never resolved. */
  readonly host: string;
  /** Called when an answer lacks an address that was known before. */
  readonly onRemoved?: () => void;
  /** Called when a background query fails: the known addresses stay in use. */
  readonly onFailed?: (error: NodeJS.ErrnoException) => void;
  readonly resolve?: Resolve;
}

export class Addresses {
  readonly #host: string;
  readonly #onRemoved: () => void;
  readonly #onFailed: (error: NodeJS.ErrnoException) => void;
  readonly #lookUp: Resolve;
  readonly #isName: boolean;
  #known: readonly string[] = [];
  #resolvedAt = Number.NEGATIVE_INFINITY;
  #retriedAt = Number.NEGATIVE_INFINITY;
  #pending: Promise<void> | null = null;

  constructor({
    host,
    onRemoved = () => {},
    onFailed = () => {},
    resolve = resolveBySystem,
  }: AddressesOptions) {
    this.#host = host;
    this.#onRemoved = onRemoved;
    this.#onFailed = onFailed;
    this.#lookUp = resolve;
    this.#isName = isIP(host) === 0;
    if (!this.#isName) this.#known = [host];
  }

  /** The known addresses, the one that last accepted a connection first; empty before the first answer. */
  get known(): readonly string[] {
    return this.#known;
  }

  has(address: string): boolean {
    return this.#known.includes(address);
  }

  /** Resolves the name in the background if the last answer is no longer fresh at `now` (performance.now(), ms). */
  refreshIfStale(now: number): void {
    if (now - this.#resolvedAt > FRESH_MS) this.#refresh();
  }

  /** No address could be connected to: resolves the name in the background, so that the next message uses the new ones. */
  refreshAfterFailure(): void {
    const now = performance.now();
    if (this.#known.length === 0 || now - this.#retriedAt < RETRY_MS) return;
    this.#retriedAt = now;
    this.#refresh();
  }

  /**
   * Resolves the name; calls during a query share it. Rejects with the resolver's error, which leaves the known
   * addresses as they are.
   */
  resolve(): Promise<void> {
    this.#pending ??= this.#resolve().finally(() => {
      this.#pending = null;
    });
    return this.#pending;
  }

  /** Moves `address` to the front: the next connection is tried there first. */
  prefer(address: string): void {
    if (this.#known[0] === address || !this.has(address)) return;
    this.#known = [address, ...this.#known.filter((other) => other !== address)];
  }

  #refresh(): void {
    if (this.#isName) this.resolve().catch(this.#onFailed);
  }

  async #resolve(): Promise<void> {
    this.#resolvedAt = performance.now();
    const found = [...new Set(await this.#lookUp(this.#host))];
    const removed = this.#known.some((address) => !found.includes(address));
    const [preferred] = this.#known;
    this.#known = found;
    if (preferred !== undefined) this.prefer(preferred);
    if (removed) this.#onRemoved();
  }
}
