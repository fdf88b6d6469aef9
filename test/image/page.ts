/** The files of the admin page, as a browser would load them: each script with what it imports. */
import assert from 'node:assert/strict';

/** `origin`: of the admin port. Resolves with the number of files. */
export async function checkPage(origin: string): Promise<number> {
  const found = new Set(['/']);
  for (const path of found) {
    const response = await fetch(`${origin}${path}`);
    assert.equal(response.status, 200, path);
    const text = await response.text();
    const names = [...text.matchAll(/(?:href|src)="(\/assets\/[^"]+)"|\bfrom ?["'](\.[^"']+)["']/g)];
    for (const [, absolute, relative = ''] of names)
      found.add(new URL(absolute ?? relative, `${origin}${path}`).pathname);
  }
  assert.ok(found.has('/assets/uplot.js'), 'the chart library is one of them');
  return found.size;
}
