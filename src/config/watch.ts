/**
 * Watches the files of a configuration by polling. File events are lost on network drives, and do not report changes of
 * Kubernetes volumes, where only a symbolic link two folders up (`..data`) is replaced.
 */
import { PeriodicTask } from '../fetch/periodic-task.ts';
import { nodeTimers, type Timers } from '../fetch/timers.ts';
import { type FileVersions, isSame, takeVersions } from './files/file-version.ts';

export interface WatchOptions {
  /** The versions before the last load read the files (LoadedConfig.files): a difference from these is a change. */
  readonly files: FileVersions;
  /**
   * Called once for a change, after the files did not change for one interval, so that no half-written file is read.
   * Polling pauses until it resolves. Must not reject.
   */
  readonly onChange: () => void | Promise<void>;
  /** Milliseconds between two polls. */
  readonly interval?: number;
  readonly timers?: Timers;
}

export interface Watch {
  /** Replaces the watched files by those of the last load, with their versions before it, even if the load failed. */
  update(files: FileVersions): void;
  close(): void;
}

export function openWatch(options: WatchOptions): Watch {
  const { onChange, interval = 1000, timers = nodeTimers } = options;
  let loaded = options.files;
  let seen = loaded;

  const poll = async (closed: AbortSignal): Promise<void> => {
    const before = loaded;
    const now = await takeVersions(loaded.keys());
    // A load has ended meanwhile: its versions are newer, and it may name other files.
    if (closed.aborted || before !== loaded) return;
    const isStill = isSame(seen, now);
    seen = now;
    if (isStill && !isSame(loaded, now)) {
      // The load may fail before it calls update(): the same change must not be reported twice.
      loaded = now;
      await onChange();
    }
  };

  const polling = new PeriodicTask({ run: poll, delay: () => interval, timers });
  polling.schedule();
  return {
    update(files) {
      loaded = files;
    },
    close() {
      void polling.end();
    },
  };
}
