/** The licences of the libraries whose code is in the bundle: each asks that its text goes with every copy. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BundledFile } from './bundle.ts';

/** One section for each library: name, version, licence, and the texts that its package contains. */
export function noticesOf(files: readonly BundledFile[]): string {
  const folders = new Set(files.flatMap(modulesOf).flatMap((id) => packageFolder(id) ?? []));
  const sections = [...folders].map(noticeOf).sort();
  return ['ehi-gateway contains code of these libraries.\n', ...sections].join(`\n${'='.repeat(80)}\n\n`);
}

function modulesOf(file: BundledFile): string[] {
  return file.type === 'chunk' ? file.moduleIds : [];
}

/** `…/node_modules/@scope/name/lib/x.js` → `…/node_modules/@scope/name`; null: one of our own modules. */
function packageFolder(id: string): string | null {
  return /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? null;
}

function noticeOf(folder: string): string {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, unknown>;
  const { name, version, license } = manifest;
  const texts = readdirSync(folder)
    .filter((file) => /^(licen[cs]e|notice|copying)/i.test(file))
    .sort()
    .map((file) => readFileSync(join(folder, file), 'utf8').trim());
  if (texts.length === 0) throw new Error(`${name} ${version} has no licence text, so it cannot be bundled`);
  return `${name} ${version} (${license})\n\n${texts.join('\n\n')}\n`;
}
