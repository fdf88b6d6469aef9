/** Compares the imports of `src/` with the table of permitted imports, and with the places that may import a library. */
import { describe, expect, it } from 'vitest';
import { files, type Import, imports, importsOf, roomOf } from './support/imports.ts';
import { ground, mayImport } from './support/rooms.ts';

/** A library → where it may be imported: a room, or one file of it. */
const libraryImporters: Record<string, readonly string[]> = {
  '@peculiar/asn1-schema': ['pki', 'revocation', 'issuing'],
  '@peculiar/asn1-x509': ['pki', 'revocation', 'issuing'],
  'ipaddr.js': ['source/address.ts'],
  jose: ['jose', 'demo/authorization-server.ts'],
  yaml: ['config'],
  zod: ['config', 'admin/described-values.ts', 'admin/status-schema.ts'],
  pino: ['telemetry/logger.ts'],
  'pino-pretty': ['telemetry/logger.ts'],
  'prom-client': ['telemetry/registry.ts'],
  commander: ['cli'],
  'node-forge': ['issuing'],
  uplot: ['admin/page/charts/chart.ts', 'admin/page/charts/chart-style.ts'],
};

/** `@scope/name/deep` → `@scope/name`. */
function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

/** The imports that the table does not permit, as `source/address.ts imports relay/route-table.ts`. */
function crossings(found: readonly Import[]): string[] {
  return found
    .filter(({ ours }) => ours)
    .filter(({ file, target }) => {
      const [from, to] = [roomOf(file), roomOf(target)];
      return from !== to && !ground.includes(to) && !mayImport[from]?.includes(to);
    })
    .map(({ file, target }) => `${file} imports ${target}`);
}

/** The imports of libraries that `libraryImporters` does not permit. */
function unpermittedLibraries(found: readonly Import[]): string[] {
  return found
    .filter(({ ours, target }) => !ours && !target.startsWith('node:'))
    .filter(({ file, target }) => {
      const allowed = libraryImporters[packageOf(target)] ?? [];
      return !allowed.some((importer) => file === importer || roomOf(file) === importer);
    })
    .map(({ file, target }) => `${file} imports ${target}`);
}

/** The files that `file` imports, directly or through others. */
function reachableFrom(file: string, targets: ReadonlyMap<string, readonly Import[]>): Set<string> {
  const reached = new Set<string>();
  const pending = [file];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    for (const { target } of targets.get(next) ?? []) {
      if (!reached.has(target)) pending.push(target);
      reached.add(target);
    }
  }
  return reached;
}

/** The strongly connected components of the files that import themselves through others. */
function circles(found: readonly Import[]): string[][] {
  const targets = Map.groupBy(
    found.filter(({ ours }) => ours),
    ({ file }) => file,
  );
  const reachable = new Map([...targets.keys()].map((file) => [file, reachableFrom(file, targets)]));
  const reaches = (from: string, to: string) => reachable.get(from)?.has(to) === true;
  const members = [...targets.keys()].filter((file) => reaches(file, file));
  const components = members.map((file) =>
    members.filter((other) => reaches(file, other) && reaches(other, file)),
  );
  return components.filter(([first], index) => first === members[index]);
}

describe('the rooms', () => {
  it('are all in the table', () => {
    expect([...new Set(files.map(roomOf))].filter((room) => !(room in mayImport))).toEqual([]);
  });

  it('are listed after every room that they import, so that no import goes back', () => {
    const order = Object.keys(mayImport);
    for (const [room, allowed] of Object.entries(mayImport)) {
      for (const other of allowed)
        expect(order.indexOf(other), `${room} → ${other}`).toBeLessThan(order.indexOf(room));
      expect(allowed.filter((other) => !order.includes(other))).toEqual([]);
    }
  });

  it('import only what the table allows', () => {
    expect(crossings(imports)).toEqual([]);
  });

  it('keep revocation by CRL and by OCSP apart: neither folder imports the other', () => {
    const [crl, ocsp] = ['revocation/crl/', 'revocation/ocsp/'];
    const found = imports.filter(
      ({ file, target }) =>
        (file.startsWith(crl) && target.startsWith(ocsp)) ||
        (file.startsWith(ocsp) && target.startsWith(crl)),
    );
    expect(found.map(({ file, target }) => `${file} imports ${target}`)).toEqual([]);
  });

  it('keep the three commands on audit files apart: each imports the reading of them, and none another one', () => {
    const commands = ['verify', 'report', 'explain'].map((name) => `auditing/${name}/`);
    const others = (file: string) => commands.filter((folder) => !file.startsWith(folder));
    const found = imports.filter(
      ({ file, target }) =>
        file.startsWith('auditing/') && others(file).some((folder) => target.startsWith(folder)),
    );
    expect(found.map(({ file, target }) => `${file} imports ${target}`)).toEqual([]);
  });

  it('import from every room that the table allows', () => {
    const used = new Set(
      imports.filter(({ ours }) => ours).map(({ file, target }) => `${roomOf(file)} → ${roomOf(target)}`),
    );
    const permits = Object.entries(mayImport).flatMap(([room, allowed]) =>
      allowed.map((other) => `${room} → ${other}`),
    );
    expect(permits.filter((permit) => !used.has(permit))).toEqual([]);
  });

  it('have no import circle between files', () => {
    expect(circles(imports)).toEqual([]);
  });

  it('use every permit of a library', () => {
    const through = imports.filter(({ ours }) => !ours).map(({ file, target }) => [packageOf(target), file]);
    const unused = Object.entries(libraryImporters).flatMap(([library, rooms]) =>
      rooms
        .filter(
          (room) =>
            !through.some(
              ([name, file = '']) => name === library && (file === room || roomOf(file) === room),
            ),
        )
        .map((room) => `${library} → ${room}`),
    );
    expect(unused).toEqual([]);
  });

  it('import each library only where the table permits it', () => {
    expect(unpermittedLibraries(imports)).toEqual([]);
  });

  it.each([
    `import { a } from '../relay/route-table.ts';`,
    `import type { A } from '../relay/route-table.ts';`,
    `import {\n  a,\n} from '../relay/route-table.ts';`,
    `export { a } from "../relay/route-table.ts";`,
    `export * from '../relay/route-table.ts';`,
    `import '../relay/route-table.ts';`,
    `const a = await import('../relay/route-table.ts');`,
    `type A = import('../relay/route-table.ts').A;`,
  ])('are seen to import another room in: %s', (text) => {
    expect(crossings(importsOf('source/address.ts', text))).toEqual([
      'source/address.ts imports relay/route-table.ts',
    ]);
  });

  it('are seen to have a circle between files', () => {
    const texts = {
      a: `import './b.ts';`,
      b: `import type { C } from './c.ts';`,
      c: `import './a.ts';`,
      d: `import './a.ts';`,
    };
    const found = Object.entries(texts).flatMap(([name, text]) => importsOf(`${name}.ts`, text));
    expect(circles(found)).toEqual([['a.ts', 'b.ts', 'c.ts']]);
  });

  it.each([
    ['source/allowlist.ts', `import ipaddr from 'ipaddr.js';`],
    ['relay/route-table.ts', `import { z } from 'zod/v4';`],
    ['relay/route-table.ts', `import request from 'undici';`],
    ['relay/route-table.ts', `import http from 'http';`],
  ])('are seen to import a library that the table does not permit there, in %s: %s', (file, text) => {
    expect(unpermittedLibraries(importsOf(file, text))).toHaveLength(1);
  });
});
