/** Keeps every trust anchor current: files are read once, URLs again and again, and only sound sets come through. */
import { nodeTimers, pause, type Timers } from '../fetch/pause.ts';
import { type AnchorOptions, readConfiguredAnchors } from './anchor.ts';
import { type Anchor, haveSameCertificates } from './bundle.ts';
import { AnchorFeed } from './feed.ts';
import type { AnchorState, TrustEvent } from './state.ts';

export interface TrustOptions {
  readonly anchors: readonly AnchorOptions[];
  /** Refuses anchors from URLs that name no root. */
  readonly requirePin: boolean;
  /** Milliseconds between two fetches that succeed. */
  readonly refresh: number;
  readonly cacheDir: string;
  /** Aborted: fetches end at once, and nothing is changed or told from then on. */
  readonly signal?: AbortSignal;
  /** A last word on every set before it is used: null, or why it is refused. */
  readonly accept?: (anchor: Anchor) => string | null;
  /** The usable set changed after `openTrust` was done. */
  readonly onAnchors: (anchors: AnchorState[]) => void;
  readonly onEvent: (event: TrustEvent) => void;
  /** Milliseconds since the epoch. */
  readonly clock?: () => number;
  readonly timers?: Timers;
  /** From 0 to below 1. */
  readonly random?: () => number;
}

export interface Trust {
  /** Every usable anchor, in the order of the configuration; one that was never fetched is missing. */
  states(): AnchorState[];
  /** Ends every fetch and timer; nothing is called from then on. */
  close(): void;
}

/**
 * Reads files, and takes what came from URLs from the cache: only what is not there is fetched before this resolves.
 * Throws TrustError for what is configured wrong.
 */
export async function openTrust(options: TrustOptions): Promise<Trust> {
  const { requirePin, refresh, cacheDir, onAnchors, onEvent: report } = options;
  const { accept = () => null, clock = Date.now, timers = nodeTimers, random = Math.random } = options;
  const now = clock();
  const configured = await readConfiguredAnchors({ anchors: options.anchors, requirePin, accept, now });
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([stop.signal, options.signal]);
  const anchors = configured.map((anchor) =>
    'urls' in anchor
      ? new AnchorFeed({ ...anchor, cacheDir, clock, accept, report, signal })
      : { state: anchor },
  );
  const states = () => anchors.flatMap(({ state }) => state ?? []);
  const waiting = new Set<unknown>();

  /** One timer or one fetch per anchor at a time: the next timer is set when the fetch is done. */
  const schedule = (feed: AnchorFeed, failures: number): void => {
    if (signal.aborted) return;
    const timer = timers.setTimeout(
      async () => {
        waiting.delete(timer);
        const before = feed.state;
        const succeeded = await feed.update();
        if (signal.aborted) return;
        if (isChanged(before, feed.state)) onAnchors(states());
        schedule(feed, succeeded ? 0 : failures + 1);
      },
      pause({ failures, refresh, random: random() }),
    );
    waiting.add(timer);
  };

  const feeds = anchors.filter((anchor) => anchor instanceof AnchorFeed);
  const current = await Promise.all(feeds.map((feed) => feed.start()));
  // A set from the cache counts as one failure: its sources are asked within a second.
  for (const [index, feed] of feeds.entries()) schedule(feed, current[index] ? 0 : 1);
  return {
    states,
    close() {
      stop.abort();
      for (const timer of waiting) timers.clearTimeout(timer);
      waiting.clear();
    },
  };
}

function isChanged(before: AnchorState | null, now: AnchorState | null): boolean {
  if (before === null || now === null) return before !== now;
  return !haveSameCertificates(before, now);
}
