/** What the audit writer writes next: a seal that is due, or lines that wait, in a new file if they do not fit the old one. */
import type { AuditCounts } from '../telemetry/audit-counts.ts';
import type { LineQueue } from './line-queue.ts';
import type { Lines } from './lines.ts';
import type { Rotation } from './rotation.ts';
import type { Sealing } from './seals/sealing.ts';

/** Of one write: a seal that is due does not wait for more than this. */
const maxChunkBytes = 1024 * 1024;

export interface ChunksOptions {
  readonly queue: LineQueue;
  /** null: no seals. */
  readonly sealing: Sealing | null;
  /** null: the file is not rotated by its size. */
  readonly rotation: Rotation | null;
  readonly counts: AuditCounts;
  /** Records lost since the start. */
  readonly lost: () => number;
}

export class Chunks {
  readonly #options: ChunksOptions;

  constructor(options: ChunksOptions) {
    this.#options = options;
  }

  /** There is something to write now. */
  get isWaiting(): boolean {
    const { queue, sealing } = this.#options;
    return !queue.isEmpty || sealing?.isDue(true) === true;
  }

  /** null: there is nothing to write now. */
  async next(): Promise<Lines | null> {
    const { queue, sealing } = this.#options;
    if (sealing?.isDue(queue.isEmpty)) {
      const seal = this.#seal(sealing);
      if (seal !== null) return seal;
    }
    if (queue.isEmpty) return null;
    return await this.#lines();
  }

  async #lines(): Promise<Lines | null> {
    const { queue, sealing, rotation } = this.#options;
    if (rotation?.isPossible && !queue.fits(rotation.room)) {
      // Each file that the gateway rotates ends with a seal.
      const seal = sealing?.hasLines ? this.#seal(sealing) : null;
      if (seal !== null) return seal;
      await rotation.perform();
    }
    const chunk = queue.take(Math.min(maxChunkBytes, rotation?.room ?? maxChunkBytes));
    if (chunk !== null) sealing?.add(chunk);
    return chunk;
  }

  #seal(sealing: Sealing): Lines | null {
    const { queue, lost, counts } = this.#options;
    const seal = sealing.seal({ lost: lost(), isIdle: queue.isEmpty });
    if (seal === null) counts.sealFailures++;
    return seal;
  }
}
