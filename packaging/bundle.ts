/**
 * Puts the program and its libraries into a few files. Node loads them in half of the time that it takes for the sources and
 * libraries, each in a file of its own. Types are stripped; nothing is minified, so that stack traces stay readable.
 */
import { isAbsolute, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type OutputAsset, type OutputChunk, rolldown } from 'rolldown';

export type BundledFile = OutputChunk | OutputAsset;

export interface BundleOptions {
  /**
   * The JavaScript expression for the URL of a source, by which it finds the files beside it; `source`: path below src/.
   * null: the URL of the file of the bundle that contains it.
   */
  readonly locate: (source: string) => string | null;
  /** Further programs that share its code: name → path below the root of the project. */
  readonly programs?: Readonly<Record<string, string>>;
}

const root = fileURLToPath(new URL('../', import.meta.url));
const sources = join(root, 'src/');

/** The program, and the code of each thread that it starts. */
const entries = Object.fromEntries(
  ['main', 'thread/relay', 'revocation/crl/thread'].map((name) => [name, `src/${name}.ts`]),
);

export async function bundle({ locate, programs = {} }: BundleOptions): Promise<readonly BundledFile[]> {
  const made = await rolldown({
    cwd: root,
    input: { ...entries, ...programs },
    platform: 'node',
    plugins: [
      { name: 'locations', transform: (code, id) => replaceLocation({ code, id, locate }) },
      { name: 'node:http and ASCII', renderChunk: (code) => toAscii(loadHttp(code)) },
    ],
  });
  const { output } = await made.generate({
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    hashCharacters: 'hex',
    // Its default prints the code once more, with the characters that were escaped.
    minify: false,
  });
  await made.close();
  return output;
}

export function contentOf(file: BundledFile): string | Uint8Array {
  return file.type === 'chunk' ? file.code : file.source;
}

interface Replacement extends BundleOptions {
  readonly code: string;
  /** Path of the module. */
  readonly id: string;
}

function replaceLocation({ code, id, locate }: Replacement): string | null {
  const source = relative(sources, id);
  const url = source.startsWith('..') || isAbsolute(source) ? null : locate(source);
  return url === null ? null : code.replaceAll('import.meta.url', url);
}

/**
 * An `import` reads each export of a built-in module. Those of `node:http` include classes of Node's `fetch`, which would be
 * loaded for nothing: that takes 20 ms in each thread.
 */
function loadHttp(code: string): string {
  return code.replace(
    /^import \{([^}]*)\} from "node:http";$/gm,
    (_, names: string) =>
      `const {${names.replaceAll(' as ', ': ')}} = process.getBuiltinModule("node:http");`,
  );
}

/**
 * V8 keeps the source of a file with any other character at two bytes for each of its characters: the gateway would take
 * 5 MiB more. In strings, templates and regular expressions the escape is the same character.
 */
function toAscii(code: string): string {
  if (/\bString\.raw`[^`]*[^\0-\x7f]/.test(code))
    throw new Error('String.raw: an escape would be taken literally');
  return code.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
