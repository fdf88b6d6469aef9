/** CPU time of a process and its descendants, thread by thread, as the operating system counts it (Linux). */
import { readdirSync, readFileSync } from 'node:fs';

/** Nanoseconds (user and system) by thread id. */
export type CpuReading = ReadonlyMap<number, number>;

/** USER_HZ: what `/proc` counts in when the kernel does not offer nanoseconds. */
const tick = 1e9 / 100;

/** Reads every thread of `pid` and of its descendants. */
export function readCpu(pid: number): CpuReading {
  const reading = new Map<number, number>();
  for (const process of processTree(pid)) {
    for (const thread of readdirSync(`/proc/${process}/task`)) {
      reading.set(Number(thread), threadTime(`/proc/${process}/task/${thread}`));
    }
  }
  return reading;
}

/** Nanoseconds between two readings. Throws if a thread ended between them, because its time is lost. */
export function cpuSpent(before: CpuReading, after: CpuReading): number {
  for (const thread of before.keys()) {
    if (!after.has(thread)) throw new Error(`thread ${thread} ended while it was measured`);
  }
  let spent = 0;
  for (const [thread, time] of after) spent += time - (before.get(thread) ?? 0);
  return spent;
}

/** First field of `schedstat`: nanoseconds on the CPU. It is exact only while the thread sleeps: read an idle process. */
function threadTime(folder: string): number {
  const onCpu = Number(readOptional(`${folder}/schedstat`)?.split(' ')[0] ?? 0);
  if (onCpu > 0) return onCpu;
  const [user = 0, system = 0] = statFields(`${folder}/stat`).slice(11, 13).map(Number);
  return (user + system) * tick;
}

/** A process and its descendants. */
export function processTree(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const parent = Number(statFields(`/proc/${name}/stat`)[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const descend = (pid: number): number[] => [pid, ...(children.get(pid) ?? []).flatMap(descend)];
  return descend(root);
}

/** The fields from the state on; the command before them may contain spaces and parentheses. */
function statFields(path: string): string[] {
  const stat = readOptional(path) ?? '';
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** undefined if the process has ended since its folder was listed, or the kernel has no such file. */
function readOptional(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
