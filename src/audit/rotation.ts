/** Rotates the audit file by its size: when, and what is renamed and removed. */
import { readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { AuditCounts } from '../telemetry/audit-counts.ts';
import type { Output } from './destination.ts';
import type { AuditEvent } from './writer-event.ts';

export interface RotateSettings {
  /** The most bytes that a file has. */
  readonly size: number;
  /** How many rotated files are kept; at least 1. */
  readonly keep: number;
}

export interface RotationPlan {
  readonly remove: readonly string[];
  /** In this order: a crash between two of them leaves a number free and loses no file. */
  readonly renames: readonly (readonly [from: string, to: string])[];
}

/**
 * `audit.log` becomes `audit.log.1`, that becomes `audit.log.2`, and so on up to the first number that is free. If none
 * is, the file with the number `keep` is removed. Files with a higher number stay: an administrator put them there, or
 * `keep` was larger. A compressed file (`audit.log.3.gz`) keeps its ending.
 *
 * @param names the files of the folder.
 */
export function planRotation(
  names: readonly string[],
  { base, keep }: { readonly base: string; readonly keep: number },
): RotationPlan {
  const numbered = namesByNumber(names, base);
  let free = 1;
  while (free <= keep && numbered.has(free)) free++;
  const remove = free > keep ? (numbered.get(keep) ?? []) : [];
  const renames: [string, string][] = [];
  for (let number = Math.min(free, keep) - 1; number >= 1; number--)
    for (const name of numbered.get(number) ?? [])
      renames.push([name, `${base}.${number + 1}${name.slice(`${base}.${number}`.length)}`]);
  renames.push([base, `${base}.1`]);
  return { remove, renames };
}

function namesByNumber(names: readonly string[], base: string): ReadonlyMap<number, readonly string[]> {
  const numbered = new Map<number, string[]>();
  for (const name of names) {
    if (!name.startsWith(`${base}.`)) continue;
    const number = /^([1-9]\d{0,8})(?:\.gz|\.zst)?$/.exec(name.slice(base.length + 1))?.[1];
    if (number !== undefined) numbered.set(Number(number), [...(numbered.get(Number(number)) ?? []), name]);
  }
  return numbered;
}

/** Resolves with the new path of the file; throws the errors of node:fs. */
export async function renameForRotation(path: string, keep: number): Promise<string> {
  const folder = dirname(path);
  const { remove, renames } = planRotation(await readdir(folder), { base: basename(path), keep });
  for (const name of remove) await rm(join(folder, name));
  for (const [from, to] of renames) await rename(join(folder, from), join(folder, to));
  return `${path}.1`;
}

/** So that a folder that cannot be written is not tried with each chunk, ms. */
const retryMs = 10_000;
/** For the seal at the end of a file: more than it ever has. */
const sealBytes = 1024;

export interface RotationOptions extends RotateSettings {
  readonly output: Output;
  readonly counts: AuditCounts;
  readonly onEvent: (event: AuditEvent) => void;
}

export class Rotation {
  readonly #options: RotationOptions;
  /** Milliseconds since the epoch; null: the last rotation succeeded. */
  #failedAt: number | null = null;

  constructor(options: RotationOptions) {
    this.#options = options;
  }

  /** Bytes of records that still fit into the file. */
  get room(): number {
    const { output, size } = this.#options;
    if (output.size === null || output.isMoved || this.#waits) return Number.POSITIVE_INFINITY;
    return Math.max(0, size - output.size - sealBytes);
  }

  /** Whether there is anything to rotate. */
  get isPossible(): boolean {
    return (this.#options.output.size ?? 0) > 0;
  }

  /** Never throws: if it fails the file grows, and a later call tries again. */
  async perform(): Promise<void> {
    const { output, keep, counts, onEvent } = this.#options;
    try {
      const to = await output.rotate(keep);
      this.#failedAt = null;
      counts.rotations++;
      onEvent({ type: 'rotated', to });
    } catch (cause) {
      const isFirst = this.#failedAt === null;
      this.#failedAt = Date.now();
      counts.rotationFailures++;
      if (isFirst) onEvent({ type: 'rotation_failed', error: cause as Error });
    }
  }

  get #waits(): boolean {
    return this.#failedAt !== null && Date.now() - this.#failedAt < retryMs;
  }
}
