/**
 * Watches the files of a configuration by asking for them again and again: file events are lost on network drives,
 * and say little of Kubernetes' volumes, where nothing changes but a link two folders up (`..data`).
 */
import { PeriodicTask } from '../fetch/periodic-task.ts';
import { nodeTimers, type Timers } from '../fetch/timers.ts';
import { isSame, type Signatures, takeSignatures } from './files/signature.ts';

export interface WatchOptions {
  /** The files, as they were before the load read them (LoadedConfig.files): what changed since then is a change. */
  readonly files: Signatures;
  /**
   * Called once for a change, when the files have stood still for one interval, so that half-written files are not
   * read. Nothing is looked at until it is done. Must not reject.
   */
  readonly onChange: () => void | Promise<void>;
  /** Milliseconds between two looks. */
  readonly interval?: number;
  readonly timers?: Timers;
}

export interface Watch {
  /** The files from now on, as they were before the last load read them, whatever came of it. */
  update(files: Signatures): void;
  close(): void;
}

export function openWatch(options: WatchOptions): Watch {
  const { onChange, interval = 1000, timers = nodeTimers } = options;
  let loaded = options.files;
  let seen = loaded;

  const look = async (closed: AbortSignal): Promise<void> => {
    const before = loaded;
    const now = await takeSignatures(loaded.keys());
    // A load that ended meanwhile knows better, and may know other files.
    if (closed.aborted || before !== loaded) return;
    const isStill = isSame(seen, now);
    seen = now;
    if (isStill && !isSame(loaded, now)) {
      // The load may fail before it comes to its files: the same change is not told twice.
      loaded = now;
      await onChange();
    }
  };

  const looking = new PeriodicTask({ run: look, pause: () => interval, timers });
  looking.schedule();
  return {
    update(files) {
      loaded = files;
    },
    close() {
      void looking.end();
    },
  };
}
