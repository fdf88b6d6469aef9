/** The connections between accept and the end of their handshake, with their limits of time and bytes. */
import { LinkedSet, type LinkedSetEntry } from '../linked-set.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import { failed } from './failed-handshake.ts';
import { failure } from './failure-reasons.ts';
import type { HandshakeResult, Inbound } from './inbound.ts';

/** Milliseconds between two checks of all handshakes. */
const SWEEP_MS = 250;
/** A client from a listed address may send limits.handshakeBytes this many times. */
const LISTED_FACTOR = 4;

interface UnfinishedOptions {
  readonly snapshot: () => PolicySnapshot;
  /** The callee records and closes the connection. */
  readonly onFailed: (inbound: Inbound, result: HandshakeResult) => void;
}

export class UnfinishedHandshakes {
  readonly #options: UnfinishedOptions;
  /** Oldest first. */
  readonly #connections = new LinkedSet<Inbound>();
  readonly #sweep: NodeJS.Timeout;

  constructor(options: UnfinishedOptions) {
    this.#options = options;
    this.#sweep = setInterval(() => this.#checkAll(), SWEEP_MS).unref();
  }

  get size(): number {
    return this.#connections.size;
  }

  members(): Inbound[] {
    return this.#connections.members();
  }

  add(inbound: Inbound): LinkedSetEntry<Inbound> {
    return this.#connections.add(inbound);
  }

  /** Has no effect for null or an entry that was removed. */
  delete(entry: LinkedSetEntry<Inbound> | null): void {
    this.#connections.delete(entry);
  }

  /** Stops the checks. */
  close(): void {
    clearInterval(this.#sweep);
  }

  #checkAll(): void {
    const { snapshot, onFailed } = this.#options;
    const { timeouts, limits } = snapshot();
    const acceptedBefore = performance.now() - timeouts.handshake;
    const maxBytes = limits.handshakeBytes * LISTED_FACTOR;
    for (const inbound of this.#connections.members()) {
      // An inspector counts the bytes of its connection itself, as they arrive.
      if (inbound.inspector === null && inbound.admitted && inbound.transport.bytesRead > maxBytes)
        onFailed(
          inbound,
          failed(
            failure(
              'handshake_too_large',
              `the client sent more than ${LISTED_FACTOR} times limits.handshakeBytes (${limits.handshakeBytes} bytes) during the handshake, the limit for an address that clients.allowlist lists`,
            ),
          ),
        );
      // Before admission the reader of the PROXY header applies the same timeout (gateway/admission.ts).
      if (inbound.acceptedAt <= acceptedBefore && inbound.admitted && !inbound.timedOut) {
        inbound.timedOut = true;
        // Its TLS socket reports this error while OpenSSL's state can still be read.
        inbound.transport.destroy(new Error('timeouts.handshake has passed'));
      }
    }
  }
}
