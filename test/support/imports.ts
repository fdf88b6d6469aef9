/** Reads the imports between the files of `src/`: what each names, and which files a thread loads. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mayImport } from './rooms.ts';

export interface Import {
  readonly file: string;
  /** A path below `src/`, or a package, or `node:…`. */
  readonly target: string;
  readonly ours: boolean;
  /** Only the compiler reads it: nothing is loaded for it. */
  readonly typeOnly: boolean;
}

const specifier =
  /(?:\b(?:import|export)\s+(?<type>type\s)?[^;'"]*?\bfrom\s*|(?<awaited>await\s+)?\bimport\s*(?<call>\()?\s*)(?<quote>['"])(?<name>[^'"\n]+)\k<quote>/g;

/** Every module that the text names: `import … from`, `export … from`, `import '…'`, `import('…')`, types included. */
export function importsOf(file: string, text: string): Import[] {
  return [...text.matchAll(specifier)].map(({ groups = {} }) => {
    const { name = '', type, call, awaited } = groups;
    const ours = name.startsWith('.');
    const target = ours ? normalize(join(dirname(file), name)) : name;
    // `import('…')` without `await` is the type of a module.
    const typeOnly = type !== undefined || (call !== undefined && awaited === undefined);
    return { file, target, ours, typeOnly };
  });
}

const src = fileURLToPath(new URL('../../src/', import.meta.url));

/** Paths below `src/`. */
export const files = globSync('**/*.ts', { cwd: src }).sort();

export const imports = files.flatMap((file) => importsOf(file, readFileSync(join(src, file), 'utf8')));

/** A file with a row of its own in the table is a room of its own. */
export function roomOf(file: string): string {
  return file in mayImport ? file : (file.split('/')[0] ?? '');
}

/** The files that are loaded with `entry`, itself included; type-only imports load nothing. */
export function loadedBy(entry: string): ReadonlySet<string> {
  const loaded = new Set([entry]);
  for (const file of loaded) {
    for (const each of imports)
      if (each.file === file && each.ours && !each.typeOnly) loaded.add(each.target);
  }
  return loaded;
}

/** `types`: no thread loads anything of the room, because it holds types alone. */
export type RoomThread = 'commands' | 'control' | 'relay' | 'both' | 'types';

/** Which thread loads files of each room: the control thread enters at control/control.ts, a relay thread at thread/relay.ts. */
export function threadsOfRooms(): ReadonlyMap<string, RoomThread> {
  const roomsOf = (entry: string) => new Set([...loadedBy(entry)].map(roomOf));
  const [control, relay, commands] = ['control/control.ts', 'thread/relay.ts', 'main.ts'].map(roomsOf);
  const threadOf = (room: string): RoomThread => {
    if (control?.has(room)) return relay?.has(room) ? 'both' : 'control';
    if (relay?.has(room)) return 'relay';
    return commands?.has(room) ? 'commands' : 'types';
  };
  return new Map(Object.keys(mayImport).map((room) => [room, threadOf(room)]));
}
