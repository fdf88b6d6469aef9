/** The files that the admin port serves for its page, from the sources. `.ci/package` and `.ci/image` look at the built ones. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { assets } from '../../src/admin/assets.ts';
import { sections } from '../../src/admin/page/sections/contents.ts';
import { initialState } from '../../src/admin/page/state.ts';
import { viewOf } from '../../src/admin/page/view.ts';

const files = await assets();
const html = files.get('/')?.body.toString() ?? '';
const scripts = [...files].filter(([, { contentType }]) => contentType.startsWith('text/javascript'));

describe('the files of the admin page', () => {
  it('are the page, its style, its modules, and the chart library', () => {
    const paths = [...files.keys()];
    expect(paths).toEqual(
      expect.arrayContaining([
        '/',
        '/assets/page.css',
        '/assets/page.js',
        '/assets/uplot.css',
        '/assets/uplot.js',
      ]),
    );
    expect(paths.filter((path) => !/^\/(assets\/([a-z]+\/)?[a-z-]+\.(js|css))?$/.test(path))).toEqual([]);
    for (const [path, { contentType, body }] of files) {
      const types = path === '/' ? 'text/html' : path.endsWith('.css') ? 'text/css' : 'text/javascript';
      expect(contentType).toBe(`${types}; charset=utf-8`);
      expect(body.length).toBeGreaterThan(100);
    }
  });

  it('import nothing but each other', () => {
    for (const [path, { body }] of scripts) {
      const targets = [...body.toString().matchAll(/\b(?:from|import)\s*\(?\s*'([^']+)'/g)].map(
        ([, name = '']) => name,
      );
      const missing = targets.filter((name) => !files.has(new URL(name, `http://gateway${path}`).pathname));
      expect(missing, path).toEqual([]);
    }
    const page = files.get('/assets/charts/chart.js')?.body.toString();
    expect(page).toContain(`import uPlot from '../uplot.js'`);
  });

  it('have no script, style or handler within the HTML, and name no other origin', () => {
    expect(html).not.toMatch(/<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)/);
    const targets = [...html.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, target = '']) => target);
    const foreign = targets.filter((target) => !/^(#|\/|data:image\/svg\+xml,)/.test(target));
    expect(foreign).toEqual([]);
    for (const target of targets.filter((target) => target.startsWith('/assets/')))
      expect(files.has(target)).toBe(true);
    expect(files.get('/assets/page.css')?.body.toString()).not.toMatch(/url\(|@import/);
  });

  it('have a place in the HTML for everything that the view shows', () => {
    const places = [...html.matchAll(/data-place="([a-z]+)"/g)].map(([, place = '']) => place);
    const view = viewOf(initialState, { at: 0, open: new Set() });
    expect(places.toSorted()).toEqual([...view.places.keys()].toSorted());
    const headed = [...html.matchAll(/<section\s+id="([a-z]+)"/g)].map(([, id = '']) => id);
    expect(sections.map(([id]) => id)).toEqual(headed);
  });

  it('are loaded once', async () => {
    expect(await assets()).toBe(files);
  });

  it('are made of the sources without a warning of Node', () => {
    const module = fileURLToPath(new URL('../../src/admin/assets.ts', import.meta.url));
    const program = `const { assets } = await import(${JSON.stringify(module)}); console.log((await assets()).size)`;
    const node = process.env.NODE_UNDER_TEST ?? process.execPath;
    const { stdout, stderr } = spawnSync(node, ['--input-type=module', '--eval', program], {
      encoding: 'utf8',
    });
    expect({ stdout, stderr }).toEqual({ stdout: `${files.size}\n`, stderr: '' });
  });
});
