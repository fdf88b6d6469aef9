/**
 * Puts the program and its libraries into a few files. Node loads them in half of the time that it takes for the sources and
 * libraries, each in a file of its own. Types are stripped; nothing is minified, so that stack traces stay readable.
 */
import { isAbsolute, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type OutputAsset, type OutputChunk, rolldown } from 'rolldown';

export type BundledFile = OutputChunk | OutputAsset;

export interface BundleOptions {
  /**
   * The JavaScript expression for the URL of a source, by which it finds the files beside it; `source`: path below src/.
   * null: the URL of the file of the bundle that contains it.
   */
  readonly locate: (source: string) => string | null;
}

const sources = fileURLToPath(new URL('../src/', import.meta.url));

/** The program, and the code of each thread that it starts. */
const entries = ['main', 'thread/relay', 'revocation/crl/thread'];

export async function bundle({ locate }: BundleOptions): Promise<readonly BundledFile[]> {
  const made = await rolldown({
    input: Object.fromEntries(entries.map((name) => [name, `${sources}${name}.ts`])),
    platform: 'node',
    plugins: [
      { name: 'locations', transform: (code, id) => replaceLocation({ code, id, locate }) },
      { name: 'built-in modules', renderChunk: (code) => loadBuiltIns(code) },
    ],
  });
  const { output } = await made.generate({ entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' });
  await made.close();
  return output;
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
 * An `import` of a built-in module reads each of its exports. For `node:http` that loads the whole of Node's `fetch`, which
 * takes 35 ms in each thread, for nothing.
 */
function loadBuiltIns(code: string): string {
  return code.replace(
    /^import \{([^}]*)\} from "(node:[\w/]+)";$/gm,
    (_, names: string, module: string) =>
      `const {${names.replaceAll(' as ', ': ')}} = process.getBuiltinModule("${module}");`,
  );
}
