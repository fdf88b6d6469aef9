/** What a report of figures needs: quantiles, tables, and a description of the machine. */
import { cpus, loadavg, release } from 'node:os';
import type { Peer } from './peers/peer.ts';
import { nodeVersion } from './processes.ts';

/** Facts about the machine that the figures depend on. */
export function describeMachine(peers: readonly Pick<Peer, 'name' | 'version'>[]): Record<string, string> {
  const facts: Record<string, string> = {
    machine: `${cpus().length} × ${cpus()[0]?.model.trim()}, Linux ${release()}`,
    'load average': `${loadavg()[0]?.toFixed(2)} before the bench; figures of a busy machine scatter`,
    'load and host': nodeVersion,
  };
  for (const { name, version } of peers) facts[name] = version;
  return facts;
}

export function printFacts(facts: Record<string, string>): void {
  for (const [name, fact] of Object.entries(facts)) console.log(`${name.padEnd(14)} ${fact}`);
}

/** Linear interpolation between the two nearest ranks; `part` from 0 to 1. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const rank = (sorted.length - 1) * part;
  const [low, high] = [sorted[Math.floor(rank)], sorted[Math.ceil(rank)]];
  if (low === undefined || high === undefined) return Number.NaN;
  return low + (high - low) * (rank % 1);
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function quartiles(values: readonly number[], digits: number): string {
  return `${quantile(values, 0.25).toFixed(digits)}–${quantile(values, 0.75).toFixed(digits)}`;
}

export function align(rows: readonly (readonly string[])[]): string {
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(width(column)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
