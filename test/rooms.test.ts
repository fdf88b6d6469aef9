/** Keeps the rooms in their order: who may import whom, and behind which door each library stands. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/** What every room may use. */
const ground = ['errors.ts', 'linked-set.ts'];

/** A room (a folder of `src/`, or one file) → the rooms that it may import. Only from rooms above it. */
const mayImport: Record<string, readonly string[]> = {
  'errors.ts': [],
  'linked-set.ts': [],
  'version.ts': [],
  'node-version.ts': [],
  'inspector-off.ts': [],
  fetch: [],
  pki: [],
  revocation: ['fetch', 'pki'],
  policy: ['revocation'],
  telemetry: [],
  audit: ['telemetry'],
  admin: [],
  source: [],
  handshake: ['source', 'pki', 'policy', 'telemetry', 'audit'],
  identity: ['pki', 'revocation', 'policy'],
  message: ['policy', 'telemetry', 'audit'],
  tracing: ['fetch', 'message', 'policy', 'telemetry'],
  upstream: ['source', 'message', 'policy', 'telemetry'],
  relay: ['source', 'identity', 'message', 'upstream', 'pki', 'policy', 'telemetry', 'tracing', 'audit'],
  gateway: [
    ...['source', 'handshake', 'identity', 'message', 'relay', 'upstream'],
    ...['pki', 'revocation', 'policy', 'telemetry', 'tracing', 'audit'],
  ],
  thread: ['gateway', 'handshake', 'policy', 'telemetry', 'tracing', 'audit'],
  trust: ['fetch', 'pki', 'policy'],
  config: ['fetch', 'source', 'pki', 'policy', 'tracing'],
  control: [
    ...['config', 'trust', 'revocation', 'policy', 'thread', 'fetch', 'handshake'],
    ...['admin', 'telemetry', 'tracing', 'audit', 'version.ts'],
  ],
  issuing: ['pki', 'revocation'],
  demo: ['issuing', 'pki'],
  cli: ['control', 'demo', 'config', 'trust', 'pki', 'telemetry', 'version.ts'],
  'main.ts': ['node-version.ts', 'inspector-off.ts', 'cli'],
};

/** A library → where it may be imported: a room, or one file of it. */
const doors: Record<string, readonly string[]> = {
  '@peculiar/asn1-schema': ['pki', 'revocation', 'issuing'],
  '@peculiar/asn1-x509': ['pki', 'revocation', 'issuing'],
  'ipaddr.js': ['source/address.ts'],
  yaml: ['config'],
  zod: ['config'],
  pino: ['telemetry/logger.ts'],
  'pino-pretty': ['telemetry/logger.ts'],
  'prom-client': ['telemetry/metrics.ts'],
  commander: ['cli'],
};

const src = fileURLToPath(new URL('../src/', import.meta.url));
const files = globSync('**/*.ts', { cwd: src }).sort();
const imports = files.flatMap((file) => importsOf(file, readFileSync(join(src, file), 'utf8')));

interface Import {
  readonly file: string;
  /** A path below `src/`, or a package, or `node:…`. */
  readonly target: string;
  readonly ours: boolean;
}

/** Every module that the text names: `import … from`, `export … from`, `import '…'`, `import('…')`, types included. */
function importsOf(file: string, text: string): Import[] {
  const specifiers = text.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*)(['"])(?<name>[^'"\n]+)\1/g);
  return [...specifiers].map(({ groups }) => {
    const name = groups?.name ?? '';
    const ours = name.startsWith('.');
    return { file, target: ours ? normalize(join(dirname(file), name)) : name, ours };
  });
}

/** A file with a row of its own is a room of its own. */
function roomOf(file: string): string {
  return file in mayImport ? file : (file.split('/')[0] ?? '');
}

/** `@scope/name/deep` → `@scope/name`. */
function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

/** The imports that the table does not allow, in the reader's words. */
function crossings(found: readonly Import[]): string[] {
  return found
    .filter(({ ours }) => ours)
    .filter(({ file, target }) => {
      const [from, to] = [roomOf(file), roomOf(target)];
      return from !== to && !ground.includes(to) && !mayImport[from]?.includes(to);
    })
    .map(({ file, target }) => `${file} imports ${target}`);
}

/** The libraries that are used elsewhere than behind their door. */
function besideDoors(found: readonly Import[]): string[] {
  return found
    .filter(({ ours, target }) => !ours && !target.startsWith('node:'))
    .filter(({ file, target }) => {
      const allowed = doors[packageOf(target)] ?? [];
      return !allowed.some((door) => file === door || roomOf(file) === door);
    })
    .map(({ file, target }) => `${file} imports ${target}`);
}

describe('the rooms', () => {
  it('are all in the table', () => {
    expect([...new Set(files.map(roomOf))].filter((room) => !(room in mayImport))).toEqual([]);
  });

  it('are listed below everything that they import, so that no room reaches back', () => {
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

  it('import from every room that the table allows', () => {
    const used = new Set(
      imports.filter(({ ours }) => ours).map(({ file, target }) => `${roomOf(file)} → ${roomOf(target)}`),
    );
    const permits = Object.entries(mayImport).flatMap(([room, allowed]) =>
      allowed.map((other) => `${room} → ${other}`),
    );
    expect(permits.filter((permit) => !used.has(permit))).toEqual([]);
  });

  it('have no door that nothing goes through', () => {
    const through = imports.filter(({ ours }) => !ours).map(({ file, target }) => [packageOf(target), file]);
    const unused = Object.entries(doors).flatMap(([library, rooms]) =>
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

  it('keep every library behind its door', () => {
    expect(besideDoors(imports)).toEqual([]);
  });

  it.each([
    `import { a } from '../relay/route.ts';`,
    `import type { A } from '../relay/route.ts';`,
    `import {\n  a,\n} from '../relay/route.ts';`,
    `export { a } from "../relay/route.ts";`,
    `export * from '../relay/route.ts';`,
    `import '../relay/route.ts';`,
    `const a = await import('../relay/route.ts');`,
    `type A = import('../relay/route.ts').A;`,
  ])('are seen to be left by: %s', (text) => {
    expect(crossings(importsOf('source/address.ts', text))).toEqual([
      'source/address.ts imports relay/route.ts',
    ]);
  });

  it.each([
    ['source/allowlist.ts', `import ipaddr from 'ipaddr.js';`],
    ['relay/route.ts', `import { z } from 'zod/v4';`],
    ['relay/route.ts', `import request from 'undici';`],
    ['relay/route.ts', `import http from 'http';`],
  ])('are seen to go past a door in %s by: %s', (file, text) => {
    expect(besideDoors(importsOf(file, text))).toHaveLength(1);
  });
});
