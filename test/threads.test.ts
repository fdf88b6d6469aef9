/** The map of CONTRIBUTING.md, from a room to the thread that loads it, is the one that the imports give. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { importsOf, loadedBy, type RoomThread, roomOf, threadsOfRooms } from './support/imports.ts';

const contributing = readFileSync(new URL('../CONTRIBUTING.md', import.meta.url), 'utf8');

/** Rows such as `| relay | [gateway](src/gateway/), … | … |`. */
function mapped(): [room: string, thread: string][] {
  const rows = [...contributing.matchAll(/^\| (commands|control|relay|both|types) \| ([^|]+) \|/gm)];
  return rows.flatMap(([, thread = '', rooms = '']) =>
    [...rooms.matchAll(/\[`?([^`\]]+)`?\]/g)].map(([, room = '']): [string, string] => [room, thread]),
  );
}

describe('the map of rooms and threads', () => {
  it('names each room once, under the thread that loads it', () => {
    const byRoom = (one: readonly string[], other: readonly string[]) => `${one}`.localeCompare(`${other}`);
    expect(mapped().sort(byRoom)).toEqual([...threadsOfRooms()].sort(byRoom));
  });

  it.each<[entry: string, thread: RoomThread]>([
    ['control/control.ts', 'relay'],
    ['thread/relay.ts', 'control'],
    ['control/control.ts', 'commands'],
    ['thread/relay.ts', 'commands'],
  ])('is kept by %s, which loads no file of a room of the %s', (entry, thread) => {
    const rooms = new Map(mapped());
    expect([...loadedBy(entry)].filter((file) => rooms.get(roomOf(file)) === thread)).toEqual([]);
  });

  it.each([
    [`import { a } from '../relay/route-table.ts';`, false],
    [`import '../relay/route-table.ts';`, false],
    [`export { a } from '../relay/route-table.ts';`, false],
    [`const a = await import('../relay/route-table.ts');`, false],
    [`import type { A } from '../relay/route-table.ts';`, true],
    [`import type {\n  A,\n} from '../relay/route-table.ts';`, true],
    [`export type { A } from '../relay/route-table.ts';`, true],
    [`type A = import('../relay/route-table.ts').A;`, true],
    [`import { type A, b } from '../relay/route-table.ts';`, false],
  ])('reads of %s that only types are imported: %s', (text, typeOnly) => {
    expect(importsOf('source/address.ts', text)).toEqual([
      { file: 'source/address.ts', target: 'relay/route-table.ts', ours: true, typeOnly },
    ]);
  });
});
