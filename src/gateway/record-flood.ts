/** Looks at every connection after its handshake, and closes those that send TLS records without data (small-records.ts). */
import type { TLSSocket } from 'node:tls';
import { liveLine } from '../audit/record.ts';
import type { Inbound } from '../handshake/inbound.ts';
import { SmallRecordLimiter, type Transfer } from '../handshake/small-records.ts';
import { denyReasons } from '../identity/deny-reasons.ts';
import { explainDenial } from '../identity/verdict.ts';
import { LinkedSet, type LinkedSetEntry } from '../linked-set.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import type { Recorder } from '../telemetry/recorder.ts';

/** Interval between two checks, ms. A long event-loop iteration is followed by a check at once (loop-delay.ts). */
const SWEEP_MS = 250;

interface Watched {
  readonly inbound: Inbound;
  readonly socket: TLSSocket;
  readonly limiter: SmallRecordLimiter;
  closed: boolean;
}

interface RecordFloodOptions {
  readonly snapshot: () => PolicySnapshot;
  readonly recorder: Recorder;
  /** The connection is about to be closed for a record flood. */
  readonly onFlood: (inbound: Inbound) => void;
}

export class RecordFloodMonitor {
  readonly #options: RecordFloodOptions;
  readonly #watched = new LinkedSet<Watched>();
  readonly #sweep: NodeJS.Timeout;

  constructor(options: RecordFloodOptions) {
    this.#options = options;
    this.#sweep = setInterval(() => this.checkAll(), SWEEP_MS).unref();
  }

  /**
   * Checks the connection from the end of the handshake until its socket closes. The returned function checks it at once;
   * false: the connection was closed.
   */
  watch(inbound: Inbound, socket: TLSSocket): () => boolean {
    const limiter = new SmallRecordLimiter(transferOf(inbound, socket), performance.now());
    const watched: Watched = { inbound, socket, limiter, closed: false };
    const entry: LinkedSetEntry<Watched> = this.#watched.add(watched);
    socket.on('close', () => this.#watched.delete(entry));
    return () => this.#check(watched, performance.now());
  }

  checkAll(): void {
    const now = performance.now();
    for (const watched of this.#watched.members()) this.#check(watched, now);
  }

  close(): void {
    clearInterval(this.#sweep);
  }

  #check(watched: Watched, now: number): boolean {
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
    const limit = `limits.smallRecords (${snapshot().limits.smallRecords})`;
    const says = denyReasons[reason].says.replace('limits.smallRecords', limit);
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
        detail: explainDenial({
          reason,
          detail: `${says}: ${ciphertext} bytes received from the network contained ${plaintext} bytes of data`,
        }),
      }),
    );
    this.#log(address);
    onFlood(inbound);
    inbound.transport.destroy();
  }

  #log(sourceAddress: string): void {
    this.#options.recorder.logFailure(
      'warn',
      'a connection was closed: it sent more TLS records with little or no data than limits.smallRecords allows; if it is one of your clients, raise that limit',
      { reason: 'record_flood', source_address: sourceAddress },
    );
  }
}

function transferOf({ transport, inspector }: Inbound, socket: TLSSocket): Transfer {
  // An inspector may not have passed on all that the TCP socket has read.
  return { ciphertext: inspector?.bytesPassed ?? transport.bytesRead, plaintext: socket.bytesRead };
}
