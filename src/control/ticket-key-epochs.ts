/** The keys of session tickets, and the time at which the next ones are due. */
import { randomBytes } from 'node:crypto';
import type { LoadedConfig } from '../config/load.ts';
import { epochEnd, epochOf, ticketKeys } from '../handshake/resumption.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';

/** A Node timer cannot exceed 24 days. After this pause the epoch of the ticket key is computed again. */
const MAX_PAUSE_MS = 24 * 3_600_000;

export class TicketKeyEpochs {
  readonly #onDue: () => void;
  /** Used without `secretFile`: replicas cannot resume each other's sessions; sessions survive a reload. */
  readonly #secret = randomBytes(32);
  #timer: NodeJS.Timeout | undefined;

  /** `onDue`: the next keys are due. */
  constructor(onDue: () => void) {
    this.#onDue = onDue;
  }

  /** The snapshot with the keys of now; schedules `onDue`. */
  complete(
    snapshot: Omit<PolicySnapshot, 'ticketKeys'>,
    { config, resumptionSecret }: Pick<LoadedConfig, 'config' | 'resumptionSecret'>,
  ): PolicySnapshot {
    const { resumption } = config.listen;
    this.close();
    if (resumption === null) return { ...snapshot, ticketKeys: null };
    const now = Date.now();
    const pause = Math.min(epochEnd(now, resumption.rotate) - now, MAX_PAUSE_MS);
    this.#timer = setTimeout(this.#onDue, pause).unref();
    const epoch = epochOf(now, resumption.rotate);
    const secret = resumptionSecret ?? this.#secret;
    return { ...snapshot, ticketKeys: ticketKeys({ secret, trust: snapshot, epoch }) };
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
