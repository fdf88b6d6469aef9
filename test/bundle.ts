/**
 * Puts the program into a few files for the processes that the tests start: Node loads them in a third of the time that it
 * takes for the sources and libraries, each in a file of its own. Types are stripped; nothing is minified.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type OutputAsset, type OutputChunk, rolldown } from 'rolldown';

const sources = fileURLToPath(new URL('../src/', import.meta.url));

/** Name of the file → source: the program, the code of each thread that it starts, and the host that tests start most often. */
const entries = {
  main: 'main.ts',
  relay: 'thread/relay.ts',
  thread: 'revocation/crl/thread.ts',
  'recording-process': '../test/support/process/recording-process.ts',
};

/** Each starts a thread whose file lies beside its own: that of the bundle. */
const startsThread: readonly string[] = ['thread/supervisor.ts', 'revocation/crl/parser.ts'];

/** How long a bundle stays that is not used, ms. */
const unusedMs = 24 * 3_600_000;

/** Resolves with the path of the program, in a folder in `cache` for these sources: another run may use the same one. */
export async function bundleProgram(cache: string): Promise<string> {
  const files = await bundle();
  const hash = createHash('sha256');
  for (const file of files) hash.update(file.fileName).update(contentOf(file));
  const folder = join(cache, hash.digest('hex').slice(0, 16));
  await mkdir(cache, { recursive: true });
  await removeUnused(cache);
  if (!(await isFolder(folder))) await write(folder, files);
  await utimes(folder, new Date(), new Date());
  return join(folder, 'main.js');
}

async function bundle(): Promise<readonly (OutputChunk | OutputAsset)[]> {
  const made = await rolldown({
    input: Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, join(sources, file)])),
    platform: 'node',
    plugins: [
      { name: 'locations', transform: (code, id) => place(code, id) },
      { name: 'built-in modules', renderChunk: (code) => requireBuiltIns(code) },
    ],
  });
  const { output } = await made.generate({ entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' });
  await made.close();
  return output;
}

/** The other modules find their files beside their source. */
function place(code: string, id: string): string | null {
  if (!id.startsWith(sources) || startsThread.includes(id.slice(sources.length))) return null;
  return code.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(id).href));
}

/**
 * An import of a module of Node's reads each of its exports, and so loads what a getter loads: of node:http it is a whole HTTP client,
 * in each thread. An eighth of the CPU time of a start.
 */
function requireBuiltIns(code: string): string {
  return code.replaceAll(
    /^import (?:(\w+)(?:, )?)?(\{[^}]*\})? from "(node:[\w/]+)";$/gm,
    (_, whole, named, from) => {
      const parts = [whole, named?.replaceAll(' as ', ': ')].filter((part) => part !== undefined);
      return parts.map((part) => `const ${part} = process.getBuiltinModule("${from}");`).join(' ');
    },
  );
}

function contentOf(file: OutputChunk | OutputAsset): string | Uint8Array {
  return file.type === 'chunk' ? file.code : file.source;
}

/** Under another name first: a run that starts meanwhile sees the whole folder, or none. */
async function write(folder: string, files: readonly (OutputChunk | OutputAsset)[]): Promise<void> {
  const unfinished = `${folder}.${process.pid}`;
  await mkdir(unfinished);
  await writeFile(join(unfinished, 'package.json'), '{"type":"module"}');
  for (const file of files) await writeFile(join(unfinished, file.fileName), contentOf(file));
  await rename(unfinished, folder).catch((error: NodeJS.ErrnoException) => {
    // Another run was faster.
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  });
}

async function isFolder(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

async function removeUnused(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    const path = join(cache, name);
    const { mtimeMs } = await stat(path);
    if (mtimeMs < Date.now() - unusedMs) await rm(path, { recursive: true, force: true });
  }
}
