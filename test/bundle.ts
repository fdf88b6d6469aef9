/** The bundle for the processes that the tests start: that of the package (packaging/bundle.ts), but beside the sources. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type BundledFile, bundle, contentOf } from '../packaging/bundle.ts';

const sources = fileURLToPath(new URL('../src/', import.meta.url));

/** The host that tests start most often. */
const host = { 'recording-process': 'test/support/process/recording-process.ts' };

/** Each starts a thread, whose file lies in the bundle. */
const startsThread: readonly string[] = ['thread/supervisor.ts', 'revocation/crl/parser.ts'];

/** How long a bundle stays that is not used, ms. */
const unusedMs = 24 * 3_600_000;

/** Resolves with the path of the program, in a folder in `cache` for these sources: another run may use the same one. */
export async function bundleProgram(cache: string): Promise<string> {
  const files = await bundle({ locate, programs: host });
  const hash = createHash('sha256');
  for (const file of files) hash.update(file.fileName).update(contentOf(file));
  const folder = join(cache, hash.digest('hex').slice(0, 16));
  await mkdir(cache, { recursive: true });
  await removeUnused(cache);
  if (!(await isFolder(folder))) await write(folder, files);
  await utimes(folder, new Date(), new Date());
  return join(folder, 'main.js');
}

/** A thread's file lies in the bundle; the other modules find their files beside their source. */
function locate(source: string): string {
  return startsThread.includes(source)
    ? `new URL("./${source.replace(/\.ts$/, '.js')}", import.meta.url).href`
    : JSON.stringify(pathToFileURL(join(sources, source)).href);
}

/** Under another name first: a run that starts meanwhile sees the whole folder, or none. */
async function write(folder: string, files: readonly BundledFile[]): Promise<void> {
  const unfinished = `${folder}.${process.pid}`;
  await mkdir(unfinished);
  await writeFile(join(unfinished, 'package.json'), '{"type":"module"}');
  for (const file of files) {
    const path = join(unfinished, file.fileName);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, contentOf(file));
  }
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
