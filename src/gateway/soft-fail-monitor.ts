/** Counts the clients that are allowed while their revocation status is unknown, and logs per anchor when that begins and ends. */
import type { Recorder } from '../telemetry/recorder.ts';

/** Soft-fail has ended when no client was allowed in this way for this long, ms: else short connections would log it each time. */
const QUIET_MS = 60_000;

interface SoftFailState {
  /** Open connections of clients with unknown revocation status. */
  open: number;
  /** Permits with unknown revocation status since soft-fail began. */
  permits: number;
  /** When the last of these connections began or ended, ms of performance.now(), which no change of the system time affects. */
  lastAt: number;
}

export class SoftFailMonitor {
  readonly #recorder: Recorder;
  readonly #anchors = new Map<string, SoftFailState>();

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  /** A client of this anchor has got a permit with unknown revocation status. `now` everywhere: performance.now(). */
  begin(anchor: string, now: number): void {
    this.#recorder.meter.softFailing++;
    let failing = this.#anchors.get(anchor);
    if (failing === undefined) {
      failing = { open: 0, permits: 0, lastAt: now };
      this.#anchors.set(anchor, failing);
      this.#recorder.log(
        'warn',
        'clients are allowed although their revocation status is unknown (soft-fail); check the revocation sources of this anchor',
        { anchor },
      );
    }
    failing.open++;
    failing.permits++;
    failing.lastAt = now;
  }

  /** The client's connection has closed, or its permit was replaced. */
  end(anchor: string, now: number): void {
    this.#recorder.meter.softFailing--;
    const failing = this.#anchors.get(anchor);
    if (failing === undefined) return;
    failing.open--;
    failing.lastAt = now;
  }

  sweep(now: number): void {
    for (const [anchor, { open, permits, lastAt }] of this.#anchors) {
      if (open > 0 || now - lastAt < QUIET_MS) continue;
      this.#anchors.delete(anchor);
      this.#recorder.log('info', 'clients are no longer allowed with an unknown revocation status', {
        anchor,
        permits,
      });
    }
  }
}
