/** What a process holds, as Linux counts it. */
import { readFileSync } from 'node:fs';

/** MiB: now, and at the most since it started. */
export function residentMemory(pid: number): { readonly now: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mebibytes = (field: string) =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN) / 1024;
  return { now: mebibytes('VmRSS'), peak: mebibytes('VmHWM') };
}
