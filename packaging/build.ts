/** `npm run build`: makes dist, which the package and the image contain: the program, the admin page, the licences. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type BundledFile, bundle, contentOf } from './bundle.ts';
import { noticesOf } from './notices.ts';

const root = join(import.meta.dirname, '..');
const page = join(root, 'src/admin/page');

const { values } = parseArgs({ options: { out: { type: 'string' } } });
const out = values.out === undefined ? join(root, 'dist') : resolve(values.out);

// The names of most files depend on their content: those of an earlier build would stay.
if (values.out === undefined) rmSync(out, { recursive: true, force: true });
else if (existsSync(out)) throw new Error(`--out ${out} exists; allowed is a new folder`);
const files = await bundle({ locate });
for (const file of files) write(file);
writeFileSync(join(out, 'third-party-notices.txt'), noticesOf(files));
compilePage();

/** Where the module would lie if each had a file of its own, seen from a file at the top of the folder. */
function locate(source: string): string {
  return `new URL("./${source.replace(/\.ts$/, '.js')}", import.meta.url).href`;
}

function write(file: BundledFile): void {
  const { fileName } = file;
  const content = contentOf(file);
  if (fileName.includes('/') && String(content).includes('import.meta.url'))
    throw new Error(`${fileName} is not at the top of the folder, so it would not find the files beside it`);
  mkdirSync(dirname(join(out, fileName)), { recursive: true });
  writeFileSync(join(out, fileName), content);
}

/** The page is sent to browsers as it is: modules, styles and one document. */
function compilePage(): void {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const argv = [tsc, '--project', join(page, 'tsconfig.build.json'), '--outDir', out];
  const { status } = spawnSync(process.execPath, argv, { stdio: 'inherit' });
  if (status !== 0) throw new Error('the admin page was not compiled');
  // The compiler also writes the modules whose types the page uses.
  const others = readdirSync(join(out, 'admin')).filter((name) => name.endsWith('.js'));
  for (const name of others) rmSync(join(out, 'admin', name));
  for (const name of ['page.html', 'page.css']) copyFileSync(join(page, name), join(out, 'admin/page', name));
}
