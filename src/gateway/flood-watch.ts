/** Looks at every connection after its handshake, and closes those that send TLS records without data (small-records.ts). */
import type { TLSSocket } from 'node:tls';
import { liveLine } from '../audit/record.ts';
import type { Inbound } from '../handshake/inbound.ts';
import { SmallRecordLimiter, type Transfer } from '../handshake/small-records.ts';
import { denyReasons } from '../identity/deny-reasons.ts';
import { LinkedSet, type LinkedSetEntry } from '../linked-set.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import type { Recorder } from '../telemetry/recorder.ts';

/** Between two looks, ms; a turn that took long is followed by a look at once (loop-delay.ts). */
const SWEEP_MS = 250;
/** Connections are closed in bursts, each with its audit record; the log has one line in this time, ms. */
const LOG_MS = 10_000;

interface Watched {
  readonly inbound: Inbound;
  readonly socket: TLSSocket;
  readonly limiter: SmallRecordLimiter;
  closed: boolean;
}

interface FloodWatchOptions {
  readonly snapshot: () => PolicySnapshot;
  readonly recorder: Recorder;
  /** A connection was closed for what it sent. */
  readonly onFlood: (inbound: Inbound) => void;
}

export class FloodWatch {
  readonly #options: FloodWatchOptions;
  readonly #watched = new LinkedSet<Watched>();
  readonly #sweep: NodeJS.Timeout;
  #closed = 0;
  #logAt = 0;

  constructor(options: FloodWatchOptions) {
    this.#options = options;
    this.#sweep = setInterval(() => this.look(), SWEEP_MS).unref();
  }

  /** From the end of the handshake until the socket closes. The answer is asked for this connection alone: false, and it was closed. */
  enter(inbound: Inbound, socket: TLSSocket): () => boolean {
    const limiter = new SmallRecordLimiter(transferOf(inbound, socket), performance.now());
    const watched: Watched = { inbound, socket, limiter, closed: false };
    const entry: LinkedSetEntry<Watched> = this.#watched.add(watched);
    socket.once('close', () => this.#watched.delete(entry));
    return () => this.#judge(watched, performance.now());
  }

  look(): void {
    const now = performance.now();
    for (const watched of this.#watched.members()) this.#judge(watched, now);
  }

  close(): void {
    clearInterval(this.#sweep);
  }

  #judge(watched: Watched, now: number): boolean {
    const { inbound, socket, limiter } = watched;
    if (watched.closed || socket.destroyed) return false;
    const { smallRecords } = this.#options.snapshot().limits;
    const transfer = transferOf(inbound, socket);
    const authorized = inbound.client !== null;
    if (!limiter.exceeds(transfer, now, { smallRecords, authorized })) return true;
    watched.closed = true;
    this.#close(inbound, transfer);
    return false;
  }

  #close(inbound: Inbound, { ciphertext, plaintext }: Transfer): void {
    const { snapshot, recorder, onFlood } = this.#options;
    const reason = 'record_flood';
    const { connId, address, client } = inbound;
    recorder.meter.count('ehi_connections_closed_total', [reason]);
    recorder.audit(
      liveLine({
        time: Date.now(),
        connId,
        sourceAddress: address,
        leaf: client?.leaf ?? null,
        anchor: client?.anchor ?? null,
        generation: snapshot().generation,
        reason,
        detail: `${denyReasons[reason].says}: ${ciphertext} bytes from the network held ${plaintext} bytes of data`,
      }),
    );
    this.#log(address);
    onFlood(inbound);
    inbound.transport.destroy();
  }

  #log(sourceAddress: string): void {
    this.#closed++;
    const now = performance.now();
    if (now < this.#logAt) return;
    const fields = { reason: 'record_flood', source_address: sourceAddress, connections: this.#closed };
    this.#options.recorder.log(
      'warn',
      'connections closed: they sent TLS records with little or no data',
      fields,
    );
    this.#closed = 0;
    this.#logAt = now + LOG_MS;
  }
}

function transferOf({ transport, inspector }: Inbound, socket: TLSSocket): Transfer {
  // An inspector may not have passed on all that the TCP socket has read.
  return { ciphertext: inspector?.bytesPassed ?? transport.bytesRead, plaintext: socket.bytesRead };
}
