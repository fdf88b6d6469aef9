/** No file of `src/` imports itself over others, types included: a file can be read without the files that read it. */
import { describe, expect, it } from 'vitest';
import { files, imports } from './support/imports.ts';

type Graph = ReadonlyMap<string, readonly string[]>;

/** One circle for each file that begins one in the order of the graph, as `a → b → a`; a circle is found once. */
function circlesIn(graph: Graph): string[] {
  const circles: string[] = [];
  const done = new Set<string>();
  const walk = (file: string, path: readonly string[]): void => {
    const at = path.indexOf(file);
    if (at >= 0) circles.push([...path.slice(at), file].join(' → '));
    if (at >= 0 || done.has(file)) return;
    for (const next of graph.get(file) ?? []) walk(next, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) walk(file, []);
  return circles;
}

describe('circles of imports', () => {
  const targetsOf = (file: string) =>
    imports.filter((each) => each.ours && each.file === file).map(({ target }) => target);

  // Fails while the circles of config/rules, trust, handshake, upstream and relay are being opened: `it` once they are.
  it.fails('do not exist between the files of src/', () => {
    expect(circlesIn(new Map(files.map((file) => [file, targetsOf(file)])))).toEqual([]);
  });

  it.each<[graph: Record<string, string[]>, circles: string[]]>([
    [{ a: ['b'], b: ['c'], c: [] }, []],
    [{ a: ['b', 'c'], b: ['c'], c: [] }, []],
    [{ a: ['a'] }, ['a → a']],
    [{ a: ['b'], b: ['a'] }, ['a → b → a']],
    [{ a: ['b'], b: ['c'], c: ['b'] }, ['b → c → b']],
  ])('are found in %j: %j', (graph, circles) => {
    expect(circlesIn(new Map(Object.entries(graph)))).toEqual(circles);
  });
});
