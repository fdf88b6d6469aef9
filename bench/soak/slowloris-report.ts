/** What the slowloris soak found, and whether that is within its bounds. */
import { align, quantile } from '../figures.ts';
import type { Attack, Form } from './attackers.ts';

/** `held`: limits so wide that everybody stays; `cut`: the defaults, and who is cut off comes back. */
export interface Scene extends Pick<Attack, 'form' | 'attackers' | 'pace'> {
  readonly name: 'held' | 'cut';
  /** Milliseconds until it is as it stays. */
  readonly ramp: number;
}

export interface Quiet {
  /** Milliseconds that each honest message took. */
  readonly waits: readonly number[];
  /** Of the gateway's core. */
  readonly share: number;
}

/** Memory in MiB, beyond what there was before the first attack; `kernel`: what the sockets of the machine hold. */
export interface SceneResult extends Quiet {
  readonly scene: Scene;
  /** Connections of attackers at the gateway, and messages under way. */
  readonly held: number;
  readonly inFlight: number;
  readonly cutPerSecond: number;
  readonly peak: number;
  readonly kernel: number;
  readonly reasons: ReadonlyMap<string, number>;
}

/**
 * How much longer the slowest percent may take: than undisturbed where everybody stays, and than with as many who come and
 * go, and do nothing, where who is cut off comes back: what a handshake costs is no slow client's doing.
 */
const mostRatio = 2;

/**
 * KiB that an attacker may make the gateway hold. 64: a connection (60 is the bench's goal for an idle one). 32: the head so
 * far, which at `limits.head` takes twice that. 32: a connection to the host. For who does not read three times 64: one
 * read of the answer, the same encrypted, and one read of further requests.
 */
const bounds: Readonly<Record<Form, number>> = {
  none: 64,
  head: 64 + 32,
  body: 64 + 32,
  reader: 64 + 32 + 3 * 64,
};
/** MiB that are free, or garbage, and not given back: of V8's heap and of malloc's. */
const slack = 128;

interface Findings {
  /** MiB before the first attack, and at the end. */
  readonly first: number;
  readonly last: number;
  /** Before the first scene, and after each. */
  readonly quiet: readonly Quiet[];
  readonly results: readonly SceneResult[];
  readonly failures: readonly string[];
}

/** Prints it all; true: it is well. */
export function judge({ first, last, quiet, results, failures }: Findings): boolean {
  const problems: string[] = [];
  const rows = [
    [
      '',
      'messages',
      'p50',
      'p99',
      'max ms',
      'core',
      'p99 ×',
      'of none',
      'attackers',
      'in flight',
      'cut/s',
      'MiB +',
      'bound',
      'kernel MiB +',
    ],
  ];
  rows.push(['undisturbed', ...figures(quiet[0] as Quiet)]);
  const none = results.find(({ scene }) => scene.form === 'none');
  let bound = 0;
  for (const [index, result] of results.entries()) {
    const { scene, held, inFlight, cutPerSecond, peak, kernel } = result;
    const name = `${scene.form}, ${scene.name}`;
    const beside = quiet.slice(index, index + 2).flatMap((each) => each.waits);
    const ratio = p99(result) / quantile(beside, 0.99);
    const ofNone = scene.name === 'cut' && none !== undefined ? p99(result) / p99(none) : null;
    // What one scene needed is not given back before the next.
    bound = Math.max(bound, slack + (scene.attackers * bounds[scene.form]) / 1024);
    const numbers = [held, inFlight, cutPerSecond, peak, bound, kernel].map((each) => each.toFixed(0));
    rows.push([name, ...figures(result), ratio.toFixed(2), ofNone?.toFixed(2) ?? '', ...numbers]);
    rows.push(['undisturbed', ...figures(quiet[index + 1] as Quiet)]);
    const than = ofNone === null ? 'undisturbed' : 'with those who only come and go';
    if (scene !== none?.scene && (ofNone ?? ratio) > mostRatio)
      problems.push(`${name}: p99 is ${(ofNone ?? ratio).toFixed(2)} × that ${than}`);
    if (peak > bound)
      problems.push(`${name}: ${peak.toFixed(0)} MiB more than before, the bound is ${bound.toFixed(0)}`);
  }
  console.log(align(rows));
  for (const { scene, reasons } of results) {
    const told = [...reasons].map(([reason, count]) => `${reason} ${count}`).join(', ');
    console.log(`${scene.form}, ${scene.name}: ${told || 'nobody cut off'}`);
  }
  console.log(
    `resident memory, MiB: ${first.toFixed(0)} before the first attack, ${last.toFixed(0)} after the last`,
  );
  console.log(`failed messages: ${failures.length}`);
  for (const failure of new Set(failures)) console.log(`  ${failure}`);
  for (const problem of problems) console.log(`BEYOND ITS BOUND: ${problem}`);
  return failures.length === 0 && problems.length === 0;
}

function figures({ waits, share }: Quiet): string[] {
  const times = [0.5, 0.99, 1].map((part) => quantile(waits, part).toFixed(2));
  return [String(waits.length), ...times, `${(share * 100).toFixed(0)} %`];
}

function p99({ waits }: Quiet): number {
  return quantile(waits, 0.99);
}
