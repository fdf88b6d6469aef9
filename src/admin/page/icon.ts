/** The icon in the window's tab: the state by colour and by sign. */
import type { Level } from './headline.ts';

const colours: Record<Level, string> = {
  good: '#1a7f37',
  warning: '#8a5a00',
  bad: '#b3261e',
  unknown: '#56606c',
};
const strokes: Record<Level, string> = {
  good: 'M9 17l5 5 9-12',
  warning: 'M16 8v10m0 5v1',
  bad: 'M10 10l12 12m0-12l-12 12',
  unknown: 'M11 16h10',
};

let shown: Level | null = null;

export function showIcon(level: Level): void {
  if (level === shown) return;
  shown = level;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="${colours[level]}"/><path d="${strokes[level]}" fill="none" stroke="#fff" stroke-width="4" stroke-linecap="round"/></svg>`;
  document
    .querySelector('link[rel="icon"]')
    ?.setAttribute('href', `data:image/svg+xml,${encodeURIComponent(svg)}`);
}
