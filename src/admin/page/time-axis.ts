/** The common axis of the certificates: days from now, on a scale that gives the next weeks as much room as the next years. */
import { day } from './format.ts';

export interface Tick {
  readonly label: string;
  /** From 0 to 1. */
  readonly at: number;
}

export interface TimeAxis {
  readonly ticks: readonly Tick[];
  /** Where a time stands, from 0 (now or before) to 1. */
  readonly at: (time: number) => number;
}

const steps: readonly { readonly days: number; readonly label: string }[] = [
  { days: 0, label: 'now' },
  { days: 7, label: '7 d' },
  { days: 30, label: '30 d' },
  { days: 90, label: '90 d' },
  { days: 365, label: '1 y' },
  { days: 3 * 365, label: '3 y' },
  { days: 10 * 365, label: '10 y' },
  { days: 30 * 365, label: '30 y' },
];

/** `now` and `ends` in ms. The axis ends at the first step that every end is before. */
export function timeAxis(ends: readonly number[], now: number): TimeAxis {
  const longest = ends.reduce((most, end) => Math.max(most, (end - now) / day), 0);
  const last = Math.max(
    3,
    steps.findIndex(({ days }) => days >= longest),
  );
  const shown = longest > (steps.at(-1)?.days ?? 0) ? steps : steps.slice(0, last + 1);
  const size = Math.max(longest, shown.at(-1)?.days ?? 0);
  const place = (days: number) => Math.min(1, Math.log1p(Math.max(0, days) / 7) / Math.log1p(size / 7));
  return {
    ticks: shown.map(({ days, label }) => ({ label, at: place(days) })),
    at: (time) => place((time - now) / day),
  };
}
