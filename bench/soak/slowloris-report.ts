/** The results of the slowloris soak, and whether they are within its bounds. */
import { align, quantile } from '../figures.ts';
import type { Attack, Form } from './attackers.ts';

/** `held`: limits so wide that all attackers stay; `cut`: the default limits, and attackers that are cut off reconnect. */
export interface Scene extends Pick<Attack, 'form' | 'attackers' | 'pace'> {
  readonly name: 'held' | 'cut';
  /** Milliseconds until the attack is steady, at least. */
  readonly ramp: number;
}

export interface Span {
  /** Milliseconds that each honest message took. */
  readonly waits: readonly number[];
  /** Of the gateway's core. */
  readonly share: number;
}

export interface SceneResult {
  readonly scene: Scene;
  /** Before and after. */
  readonly undisturbed: readonly [Span, Span];
  readonly attacked: Span;
  /** Connections of attackers at the gateway, and messages under way. */
  readonly held: number;
  readonly inFlight: number;
  readonly cutPerSecond: number;
  /** MiB more than before the attack; `kernel`: of the sockets of the machine. */
  readonly peak: number;
  readonly kernel: number;
  readonly reasons: ReadonlyMap<string, number>;
  readonly failures: readonly string[];
}

/**
 * In `held`, the slowest percent of messages may take this many times as long as undisturbed. In `cut` the ratio is only
 * printed: it comes from 200 handshakes a second, each a millisecond of the core that the messages use, and not from slow
 * clients (`none` does nothing else).
 */
const mostRatio = 2;

/**
 * KiB of the gateway's memory that one attacker may cause. 64: a connection (60 is the bench's goal for an idle one). 32: the
 * head so far, which takes twice `limits.head`. 32: a connection to the host. For a client that does not read, three times
 * 64: one read of the response, the same encrypted, and one read of further requests. (If the first read of the response
 * was short, a second one waits too, but not for all attackers.)
 */
const bounds: Readonly<Record<Form, number>> = {
  none: 64,
  head: 64 + 32,
  body: 64 + 32,
  reader: 64 + 32 + 3 * 64,
};
/** MiB of V8's heap and of malloc that are free or garbage, and not returned. */
const slack = 128;

const header = [
  '',
  'p50',
  'p99',
  'max ms',
  'core',
  'p99',
  'ratio',
  'attackers',
  'in flight',
  'cut/s',
  'MiB +',
];

/** Prints all results; true if they are within the bounds. */
export function judge(results: readonly SceneResult[]): boolean {
  const problems: string[] = [];
  const rows = [[...header, 'bound', 'kernel MiB +']];
  for (const { scene, undisturbed, attacked, ...result } of results) {
    const name = `${scene.form}, ${scene.name}`;
    const quiet = p99(undisturbed.flatMap(({ waits }) => waits));
    const ratio = p99(attacked.waits) / quiet;
    const bound = slack + (scene.attackers * bounds[scene.form]) / 1024;
    const { held, inFlight, cutPerSecond, peak, kernel, failures } = result;
    const numbers = [held, inFlight, cutPerSecond, peak, bound, kernel].map((each) => each.toFixed(0));
    rows.push([name, ...figures(attacked), quiet.toFixed(2), ratio.toFixed(2), ...numbers]);
    if (scene.name === 'held' && ratio > mostRatio)
      problems.push(`${name}: p99 is ${ratio.toFixed(2)} × that undisturbed`);
    if (peak > bound)
      problems.push(`${name}: ${peak.toFixed(0)} MiB more than before, the bound is ${bound.toFixed(0)}`);
    problems.push(...new Set(failures.map((failure) => `${name}: ${failure}`)));
  }
  console.log('honest messages under attack; p99 before and after it, and their ratio; the attackers\n');
  console.log(align(rows));
  for (const { scene, reasons } of results) {
    const counts = [...reasons].map(([reason, count]) => `${reason} ${count}`).join(', ');
    console.log(`${scene.form}, ${scene.name}: ${counts || 'no attacker was cut off'}`);
  }
  const sum = (count: (result: SceneResult) => number) =>
    results.reduce((total, each) => total + count(each), 0);
  const messages = sum(({ attacked }) => attacked.waits.length);
  console.log(
    `honest messages under attack: ${messages}; failed at any time: ${sum((each) => each.failures.length)}`,
  );
  for (const problem of problems) console.log(`BEYOND ITS BOUND: ${problem}`);
  return problems.length === 0;
}

function figures({ waits, share }: Span): string[] {
  const times = [0.5, 0.99, 1].map((part) => quantile(waits, part).toFixed(2));
  return [...times, `${(share * 100).toFixed(0)} %`];
}

function p99(waits: readonly number[]): number {
  return quantile(waits, 0.99);
}
