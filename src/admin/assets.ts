/** The files of the admin page: read on the first request, so that they take no memory while the page is not used. */
import { readdir, readFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { fileURLToPath } from 'node:url';

export interface Asset {
  readonly contentType: string;
  readonly body: Buffer;
}

const script = 'text/javascript; charset=utf-8';
const style = 'text/css; charset=utf-8';
const html = 'text/html; charset=utf-8';

let loaded: Promise<ReadonlyMap<string, Asset>> | null = null;

/**
 * URL path → file. Rejects as reading a file does; the next call tries again.
 * The page's modules lie below `/assets/` as they lie in their folder.
 */
export function assets(): Promise<ReadonlyMap<string, Asset>> {
  loaded ??= load().catch((error: unknown) => {
    loaded = null;
    throw error;
  });
  return loaded;
}

async function load(): Promise<ReadonlyMap<string, Asset>> {
  const [page, styles, chart, chartStyles, modules] = await Promise.all([
    readFile(new URL('page/page.html', import.meta.url)),
    readFile(new URL('page/page.css', import.meta.url)),
    readFile(fileURLToPath(import.meta.resolve('uplot/dist/uPlot.iife.min.js')), 'utf8'),
    readFile(fileURLToPath(import.meta.resolve('uplot/dist/uPlot.min.css'))),
    readModules(),
  ]);
  return new Map([
    ['/', { contentType: html, body: page }],
    ['/assets/page.css', { contentType: style, body: styles }],
    // A third of the size of its ES module, which is not minified.
    ['/assets/uplot.js', { contentType: script, body: Buffer.from(`${chart}\nexport default uPlot;\n`) }],
    ['/assets/uplot.css', { contentType: style, body: chartStyles }],
    ...modules,
  ]);
}

/** The modules of the page: `.js` in the package, `.ts` in the sources. */
async function readModules(): Promise<[path: string, Asset][]> {
  const folder = new URL('page/', import.meta.url);
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  const files = await readdir(folder, { recursive: true });
  const names = files.filter((name) => name.endsWith(extension));
  return Promise.all(
    names.map(async (name): Promise<[string, Asset]> => {
      const text = await readFile(new URL(name, folder), 'utf8');
      const path = `/assets/${name.slice(0, -extension.length)}.js`;
      return [path, { contentType: script, body: Buffer.from(browserModule(text, path)) }];
    }),
  );
}

/** JavaScript whose imports are paths: a browser knows no packages and no types. */
function browserModule(text: string, path: string): string {
  const javascript = import.meta.url.endsWith('.ts') ? withoutTypes(text) : text;
  const up = '../'.repeat(path.split('/').length - 3) || './';
  return javascript
    .replace(/(\bfrom '\.{1,2}\/[^']+)\.ts'/g, "$1.js'")
    .replace(/\bfrom 'uplot'/g, `from '${up}uplot.js'`);
}

/** Node warns that this function is experimental. It runs from the sources alone, and on our own files. */
function withoutTypes(text: string): string {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return stripTypeScriptTypes(text);
  } finally {
    process.emitWarning = emitWarning;
  }
}
