/** Every link and every path that a page names leads to something that exists, the section of a page included. */
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../', import.meta.url));
const pages = globSync(
  [
    '*.md',
    'docs/*.md',
    'bench/*.md',
    'certs/*.md',
    'helm/*/README.md',
    '{src,test}/**/README.md',
    '.github/**/*.md',
  ],
  { cwd: root },
).sort();

/** Folders that are committed; a path below another one, as `var/trust`, comes into being at run time. */
const committed = /^(src|test|docs|config|bench|packaging|helm|\.ci|\.github)\//;

describe.each(pages)('%s', (page) => {
  const text = proseOf(readFileSync(join(root, page), 'utf8'));

  it('has no link that leads nowhere', () => {
    expect(linksOf(text).filter((link) => !leadsSomewhere(page, link))).toEqual([]);
  });

  it('names no path that does not exist', () => {
    const paths = [...text.matchAll(/`([^`\s]+)`/g)].map(([, path = '']) => path);
    expect(
      paths.filter((path) => committed.test(path) && !isPattern(path) && !existsSync(join(root, path))),
    ).toEqual([]);
  });
});

/** The page without its blocks of code, whose brackets are no links. */
function proseOf(text: string): string {
  return text.replaceAll(/^( *)```.*?^\1```$/gms, '');
}

function linksOf(text: string): string[] {
  const outsideCode = text.replaceAll(/`[^`\n]*`/g, (code) => code.replaceAll(/[()]/g, '_'));
  return [...outsideCode.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
}

/** `test/gateway/NAME.test.ts` and `src/*` stand for more than one path. */
function isPattern(path: string): boolean {
  return /\b(NAME|ROOM|FILE|SECTION)\b|[*{<…]/.test(path);
}

function leadsSomewhere(page: string, link: string): boolean {
  if (/^(https?|mailto):/.test(link)) return true;
  const [path = '', anchor] = link.split('#', 2);
  const target = path === '' ? join(root, page) : join(root, dirname(page), path);
  if (!existsSync(target)) return false;
  if (anchor === undefined) return true;
  const file = statSync(target).isDirectory() ? join(target, 'README.md') : target;
  return existsSync(file) && anchorsOf(readFileSync(file, 'utf8')).includes(anchor);
}

/** As GitHub makes them from headings, and those that the page sets by itself. */
function anchorsOf(text: string): string[] {
  const prose = proseOf(text);
  const headings = [...prose.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) => slugOf(heading));
  const set = [...prose.matchAll(/<a id="([^"]+)">/g)].map(([, id = '']) => id);
  return [...headings, ...set];
}

function slugOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/\]\([^)]*\)/g, '')
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-');
}

it.each([
  ['## `type: handshake`', 'type-handshake'],
  ['## What the client gets, and when', 'what-the-client-gets-and-when'],
  ['## HTTP/1.1: RFC 9112', 'http11-rfc-9112'],
])('makes of the heading %s the anchor %s', (heading, anchor) => {
  expect(anchorsOf(`${heading}\n`)).toEqual([anchor]);
});
