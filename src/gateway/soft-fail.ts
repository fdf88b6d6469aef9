/** Soft-fail is never silent: counts the clients that are let in on an unknown revocation, and tells when that begins and ends. */
import type { Recorder } from '../telemetry/recorder.ts';

/** It is over when nobody was let in so for this long, ms: connections that last one message would begin and end it each time. */
const QUIET_MS = 60_000;

interface SoftFailState {
  /** Connections that are open now. */
  open: number;
  /** How often a client was let in, or kept, since it began. */
  permits: number;
  /** When the last of them came or went, performance.now(), ms: the wall clock may be set. */
  lastAt: number;
}

export class SoftFailMonitor {
  readonly #recorder: Recorder;
  readonly #anchors = new Map<string, SoftFailState>();

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  /** A client of this anchor goes on with a permit that rests on an unknown; `now`: performance.now(), as for the others. */
  begin(anchor: string, now: number): void {
    this.#recorder.meter.softFailing++;
    let failing = this.#anchors.get(anchor);
    if (failing === undefined) {
      failing = { open: 0, permits: 0, lastAt: now };
      this.#anchors.set(anchor, failing);
      this.#recorder.log('warn', 'clients are let in whose revocation is unknown', { anchor });
    }
    failing.open++;
    failing.permits++;
    failing.lastAt = now;
  }

  /** That client is gone, or has another permit. */
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
      this.#recorder.log('info', 'nobody is let in any more whose revocation is unknown', {
        anchor,
        permits,
      });
    }
  }
}
