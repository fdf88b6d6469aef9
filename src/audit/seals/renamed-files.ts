/** Finds the files that the audit file was renamed to, by the gateway or by another program. */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';

export type Compression = 'none' | 'gzip' | 'zstd' | 'other';

export interface RotatedFile {
  readonly path: string;
  readonly compression: Compression;
}

const endings: Readonly<Record<string, Compression>> = {
  '.gz': 'gzip',
  '.zst': 'zstd',
  '.bz2': 'other',
  '.xz': 'other',
  '.lz4': 'other',
};

/** The newest first: by the time of the last write, which renaming and compressing keep. */
export async function findRotatedFiles(path: string): Promise<RotatedFile[]> {
  const folder = dirname(path);
  const rotated = (await readdir(folder)).filter((name) => isRotatedName(name, basename(path)));
  // A compressor removes the plain file when the compressed one is whole.
  const names = rotated.filter((name) => !(extname(name) in endings && rotated.includes(plainName(name))));
  const files = [];
  for (const name of names) {
    const found = await stat(join(folder, name), { bigint: true });
    if (found.isFile()) files.push({ name, path: join(folder, name), time: found.mtimeNs });
  }
  files.sort((a, b) => (a.time === b.time ? compareNames(a.name, b.name) : a.time < b.time ? 1 : -1));
  return files.map(({ path, name }) => ({ path, compression: endings[extname(name)] ?? 'none' }));
}

const mark = /^[.-]\d[\d.T:_-]*$/;
/** A shorter number in the middle of a name is that of a gateway: `audit-2.log` is the file of another one. */
const dateMark = /^[.-](?:\d{8}|\d{4}-\d\d-\d\d)[\d.T:_-]*$/;

/** `audit.log.1`, `audit.log-20261129`, `audit-20261129.log`, each with an ending of compression or without. */
export function isRotatedName(name: string, base: string): boolean {
  const plain = plainName(name);
  const end = extname(base);
  const stem = base.slice(0, base.length - end.length);
  if (plain.startsWith(base) && mark.test(plain.slice(base.length))) return true;
  return (
    plain.startsWith(stem) &&
    plain.endsWith(end) &&
    dateMark.test(plain.slice(stem.length, plain.length - end.length))
  );
}

/** Without an ending of compression. */
function plainName(name: string): string {
  return extname(name) in endings ? name.slice(0, -extname(name).length) : name;
}

/** The lower number is the newer file. */
function compareNames(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
