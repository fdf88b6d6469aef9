/** Starts the anchors that are new in changed settings, and waits for the first fetch of those that have no cached set. */
import { isSameAnchor, type UrlAnchor } from './configured-anchors.ts';
import type { FetchSchedule } from './fetch-schedule.ts';
import type { AnchorState } from './state.ts';

/** An anchor from files, or the schedule of one from URLs. */
export type Entry = { readonly state: AnchorState } | FetchSchedule;

export interface StartedAnchors {
  /** In the order of the configuration. */
  readonly entries: readonly Entry[];
  /** New schedules, which are to begin with so many failed fetches behind them. */
  readonly started: readonly { readonly schedule: FetchSchedule; readonly failures: number }[];
}

interface StartOptions {
  /** The schedule in use with the same name and URLs. */
  readonly find: (anchor: UrlAnchor) => FetchSchedule | undefined;
  readonly schedule: (anchor: UrlAnchor) => FetchSchedule;
}

/**
 * An anchor that stays keeps its schedule. All new ones are started at the same time; the wait for their first fetch ends with
 * its limit (`download.ts`). Never rejects for a failed fetch: such an anchor has no state until a later one succeeds.
 */
export async function startNewAnchors(
  configured: readonly (AnchorState | UrlAnchor)[],
  { find, schedule: newSchedule }: StartOptions,
): Promise<StartedAnchors> {
  const started: { schedule: FetchSchedule; failures: number }[] = [];
  const entries = await Promise.all(
    configured.map(async (anchor): Promise<Entry> => {
      if (!('urls' in anchor)) return { state: anchor };
      const current = find(anchor);
      if (current !== undefined && isSameAnchor(current.feed.anchor, anchor)) return current;
      await current?.end();
      const schedule = newSchedule(anchor);
      // A set from the cache counts as one failed fetch, so that its sources are fetched within a second.
      started.push({ schedule, failures: (await schedule.feed.start(current?.feed)) ? 0 : 1 });
      return schedule;
    }),
  );
  return { entries, started };
}
