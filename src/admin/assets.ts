/** The files of the page. */

const html = '<!doctype html><html lang="en"><title>ehi-gateway</title><p>See /api/status.</p></html>\n';

export async function assets(): Promise<ReadonlyMap<string, { contentType: string; body: Buffer }>> {
  return new Map([['/', { contentType: 'text/html; charset=utf-8', body: Buffer.from(html) }]]);
}
