/**
 * The addresses whose next connections are read before TLS, since the first bytes explain why an earlier one failed. TLS reads
 * from the TCP socket of a listed address itself, where Node shows no bytes; so only a failure makes the gateway look.
 */
import type { Socket } from 'node:net';
import { beginsRecord, firstRecordLength } from './client-hello.ts';

/** Milliseconds after the last failure. */
const OBSERVED_MS = 10 * 60_000;
const MAX_ADDRESSES = 256;
/** One record at most (RFC 8446 §5.1). */
const MAX_BYTES = 16_384 + 5;

export class ObservedAddresses {
  /** Address → until when, performance.now(); oldest first. */
  readonly #until = new Map<string, number>();

  add(address: string, now: number): void {
    this.#until.delete(address);
    this.#until.set(address, now + OBSERVED_MS);
    if (this.#until.size > MAX_ADDRESSES) this.#until.delete(this.#until.keys().next().value as string);
  }

  has(address: string, now: number): boolean {
    if (this.#until.size === 0) return false;
    const until = this.#until.get(address);
    if (until === undefined) return false;
    if (until > now) return true;
    this.#until.delete(address);
    return false;
  }
}

/**
 * Reads the first record, or what is not one, from a paused socket and puts it back for TLS. `bytes` is called each time
 * with all bytes so far; `complete` once, unless the client closes the connection before (`end`).
 */
export function readFirstBytes(
  transport: Socket,
  on: {
    readonly bytes: (bytes: Buffer) => void;
    readonly complete: () => void;
    readonly end: (how: { isReset: boolean }) => void;
  },
): void {
  let bytes = Buffer.alloc(0);
  const stop = (next: () => void): void => {
    transport.off('readable', read).off('end', ended).off('close', ended).off('error', reset);
    next();
  };
  const ended = () => stop(() => on.end({ isReset: false }));
  const reset = () => stop(() => on.end({ isReset: true }));
  // 'readable' and not 'data', which would make the socket flow before TLS reads it.
  const read = (): void => {
    const chunk: Buffer | null = transport.read();
    if (chunk === null) return;
    bytes = bytes.length === 0 ? Buffer.from(chunk) : Buffer.concat([bytes, chunk]);
    on.bytes(bytes);
    const size = firstRecordLength(bytes);
    const isRecord = beginsRecord(bytes);
    if (bytes.length < MAX_BYTES && (Number.isNaN(size) || (isRecord && bytes.length < size))) return;
    stop(() => {
      transport.unshift(bytes);
      on.complete();
    });
  };
  transport.on('readable', read).on('end', ended).on('close', ended).on('error', reset);
}
