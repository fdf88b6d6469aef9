import { describe, expect, it } from 'vitest';
import {
  fail,
  freshnessOf,
  gatewayTime,
  initialState,
  type PageState,
  partFault,
  receive,
} from '../../../src/admin/page/state.ts';
import { parts } from '../../../src/admin/page/status-shape.ts';
import type { Status } from '../../../src/admin/status-schema.ts';
import { busyDocument } from '../../page/documents.ts';

/** The reader's clock is three hours behind the gateway's. */
const gateway = Date.UTC(2026, 10, 29, 5, 12);
const reader = gateway - 3 * 3_600_000;
const document = busyDocument(gateway);
const good = receive(initialState, { body: JSON.stringify(document), at: reader });

function received(state: PageState, changed: object, at: number): PageState {
  return receive(state, { body: JSON.stringify({ ...document, ...changed }), at });
}

describe('the state of the page', () => {
  it('waits before the first answer', () => {
    expect(freshnessOf(initialState, reader)).toEqual({ kind: 'waiting' });
  });

  it('takes every part of a document, and is fresh', () => {
    for (const part of parts)
      expect(good.parts[part]).toEqual({ value: document[part], receivedAt: reader, fault: null });
    expect(freshnessOf(good, reader + 1_500)).toEqual({ kind: 'fresh', age: 1_500 });
  });

  it('reads ages by the gateway’s clock, whatever the reader’s says', () => {
    expect(gatewayTime(good, reader + 1_500)).toBe(gateway + 1_500);
    // A clock that is set back does not make times of the future.
    expect(gatewayTime(good, reader - 60_000)).toBe(gateway);
  });

  it.each([
    ['an empty body', '', 'is not a JSON object'],
    ['half a document', JSON.stringify(document).slice(0, 900), 'is not a JSON object'],
    ['HTML', '<!doctype html><p>Bad gateway', 'is not a JSON object'],
    ['a list', '[]', 'is not a JSON object'],
    ['null', 'null', 'is not a JSON object'],
    ['no version', '{}', 'has no version'],
    [
      'another version',
      JSON.stringify({ ...document, version: 2 }),
      'has version 2, and this page reads version 1',
    ],
    ['no time', JSON.stringify({ ...document, time: undefined }), 'has no time'],
    ['a time that is none', JSON.stringify({ ...document, time: 'soon' }), 'has no time'],
  ])('keeps the last data after %s, says what failed and how old they are', (_, body, failure) => {
    const state = receive(good, { body, at: reader + 4_000 });
    expect(state.parts).toBe(good.parts);
    const freshness = freshnessOf(state, reader + 5_000);
    expect(freshness).toMatchObject({ kind: 'stale', age: 5_000 });
    expect(freshness).toHaveProperty('failure', expect.stringContaining(failure));
  });

  it('is fresh again with the next good answer', () => {
    const failed = fail(good, 'The gateway answered 500 to /api/status.');
    expect(freshnessOf(failed, reader).kind).toBe('stale');
    expect(freshnessOf(received(failed, {}, reader + 9_000), reader + 9_000)).toEqual({
      kind: 'fresh',
      age: 0,
    });
  });

  it('is stale where no answer arrives although nothing failed', () => {
    expect(freshnessOf(good, reader + 11_000)).toMatchObject({ kind: 'stale', age: 11_000 });
  });

  it('has no age before the first answer', () => {
    expect(freshnessOf(fail(initialState, 'Nothing.'), reader)).toEqual({
      kind: 'stale',
      age: null,
      failure: 'Nothing.',
    });
  });
});

const cases: readonly [string, object, keyof PageState['parts'], string][] = [
  ['lacks', { refused: undefined }, 'refused', 'refused is missing'],
  ['is null in', { audit: null }, 'audit', 'audit is not an object'],
  ['is another type in', { clients: {} }, 'clients', 'clients is not a list'],
  [
    'has a wrong entry in',
    { threads: [...document.threads, { thread: '3' }] },
    'threads',
    'threads[2].thread is not a number',
  ],
  [
    'has no time in',
    { changes: [{ ...document.changes[0], time: 'x' }] },
    'changes',
    'changes[0].time is not a time',
  ],
  ['has a number as text in', { now: { ...document.now, p99Ms: '41' } }, 'now', 'now.p99Ms is not a number'],
  [
    'has lists of different lengths in',
    { history: { ...document.history, late: [1] } },
    'history',
    'history.late has another length than history.ends',
  ],
  [
    'has steps without length in',
    { history: { ...document.history, stepSeconds: 0 } },
    'history',
    'history.stepSeconds is not positive',
  ],
];

describe('a part of the state', () => {
  it.each(cases)(
    '%s a document: its last data stay, with what is wrong, and the rest is taken',
    (_, changed, part, fault) => {
      const later = reader + 4_000;
      const state = received(good, changed, later);
      expect(state.parts[part]).toEqual({ ...good.parts[part], fault });
      expect(partFault(state.parts[part], later)).toBe(`Stale, 4 s old: ${fault} in the gateway’s answer.`);
      for (const other of parts) if (other !== part) expect(state.parts[other].receivedAt).toBe(later);
      expect(freshnessOf(state, later).kind).toBe('fresh');
      expect(partFault(received(state, {}, later).parts[part], later)).toBeNull();
    },
  );

  it('says that it is not available when it never was', () => {
    const state = received(initialState, { audit: undefined }, reader);
    expect(partFault(state.parts.audit, reader)).toBe(
      'Not available: audit is missing in the gateway’s answer.',
    );
  });

  it('accepts fields and words that a newer gateway adds', () => {
    const changes = [{ ...document.changes[0], kind: 'weather', wind: 3 }];
    const state = received(good, { changes, weather: {} }, reader);
    expect(parts.filter((part) => state.parts[part].fault !== null)).toEqual([]);
  });

  it('is checked field by field: no field of the document can be missing unnoticed', () => {
    const unnoticed = fieldsOf(document).filter((path) => {
      const body = JSON.stringify(without(document, path));
      return parts.every((part) => receive(initialState, { body, at: reader }).parts[part].fault === null);
    });
    expect(unnoticed).toEqual([]);
  });
});

type Path = readonly (string | number)[];

/** The paths of all fields below the parts; of a list those of its first entry. */
function fieldsOf(document: Status): Path[] {
  const below = (value: unknown, path: Path): Path[] => {
    if (Array.isArray(value)) return value.length === 0 ? [] : below(value[0], [...path, 0]);
    if (typeof value !== 'object' || value === null) return [];
    return Object.entries(value).flatMap(([name, each]) => [
      [...path, name],
      ...below(each, [...path, name]),
    ]);
  };
  return parts.flatMap((part) => [[part], ...below(document[part], [part])]);
}

function without(document: Status, path: Path): object {
  const copy = structuredClone(document) as unknown as Record<string | number, unknown>;
  let holder = copy;
  for (const name of path.slice(0, -1)) holder = holder[name] as typeof copy;
  delete holder[path.at(-1) ?? ''];
  return copy;
}
