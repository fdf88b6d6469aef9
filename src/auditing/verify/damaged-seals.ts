/** Lines that begin as seals and are none: what a crash cut off is a gap, and everything else was changed. */
import type { SealEvent } from '../../audit/seals/seal.ts';
import { readSeal } from '../../audit/seals/seal-reader.ts';
import type { Line } from '../reading/lines.ts';
import { type Facts, type Finding, newFinding, placeOf } from './finding.ts';
import type { Interval } from './lines-since-seal.ts';

const digits = (count: number) => '0'.repeat(count);
const events: Record<SealEvent, true> = {
  ...{ started: true, resumed: true, sealed: true, truncated: true, stopped: true },
};

/** The fields of a seal in order, each in all the forms that it can have. */
const examples: readonly (readonly string[])[] = [
  ['{"type":"seal"'],
  ['"time":"2026-11-29T05:00:00.000Z"'],
  Object.keys(events).map((event) => `"event":"${event}"`),
  [`"chain":"${digits(16)}"`],
  ['"seq":0'],
  ['"lines":0'],
  [`"sha256":"${digits(64)}"`],
  ['"previous":null', `"previous":"${digits(64)}"`],
  ['"lost":0'],
  ['"key":null', `"key":"${digits(16)}"`],
  ['"signature":null', `"signature":"${digits(86)}=="`],
];

/** Whether the line is the begin of a seal, which a crash or a full disk can leave. */
export function isCutSeal(line: Buffer): boolean {
  const fields = line.toString('latin1').split(',');
  const last = fields.pop() ?? '';
  const at = fields.length;
  const rest = examples.slice(at + 1).map(([first = '']) => first);
  return (examples[at] ?? []).some((example) => {
    const whole = `${[...fields, last + example.slice(last.length), ...rest].join(',')}}`;
    return readSeal(Buffer.from(whole, 'latin1')) !== null;
  });
}

/** The seals of an interval that were damaged by a change. */
export function changedSeals({ damagedSeals }: Interval): readonly Line[] {
  return damagedSeals.filter(({ bytes }) => !isCutSeal(bytes));
}

/** At the place of the damaged seals; null: there are none. */
export function damagedSealFinding(interval: Interval, facts: Facts): Finding | null {
  const changed = changedSeals(interval);
  const [first, last] = [changed.at(0), changed.at(-1)];
  if (first === undefined || last === undefined) return null;
  const place = { from: placeOf(first), to: placeOf(last) };
  return newFinding('seal_damaged', 'tampering', { detail: 'lines unproven', ...facts, ...place });
}
