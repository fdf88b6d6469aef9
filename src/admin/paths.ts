/** What the admin port serves under which path. */

import { safeJson } from '../foreign-text.ts';
import { assets } from './assets.ts';
import type { Text } from './rate-limited-text.ts';
import { statusJsonSchema } from './status-schema.ts';

export interface PageSources {
  readonly metrics: () => Promise<Text>;
  readonly status: () => Promise<Text>;
  readonly ready: () => { readonly ready: boolean; readonly reasons: readonly string[] };
  readonly upstreams: () => readonly object[];
}

export interface PageResponse {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Buffer;
}

/** Resolves with undefined if there is no such file. */
type Page = (sources: PageSources) => Promise<PageResponse | undefined>;

const pages = new Map<string, Page>([
  ['/metrics', async ({ metrics }) => ({ status: 200, ...(await metrics()) })],
  ['/healthz', async () => plain(200, 'ok')],
  [
    '/readyz',
    async (sources) => {
      const { ready, reasons } = sources.ready();
      return json(ready ? 200 : 503, { ready, reasons });
    },
  ],
  ['/upstreams', async ({ upstreams }) => json(200, { endpoints: upstreams() })],
  ['/api/status', async ({ status }) => ({ status: 200, ...(await status()) })],
  ['/api/status/schema', async () => statusSchema()],
]);

let madeSchema: PageResponse | null = null;

/** Made once, when it is first requested. */
function statusSchema(): PageResponse {
  madeSchema ??= { ...json(200, statusJsonSchema()), contentType: 'application/schema+json' };
  return madeSchema;
}

/** undefined: nothing is served under this path. */
export function findPage(path: string): Page | undefined {
  return pages.get(path) ?? (isFile(path) ? async () => findFile(path) : undefined);
}

/** Whether the path is that of the page or of a file that belongs to it. */
export function isFile(path: string): boolean {
  return path === '/' || path.startsWith('/assets/');
}

async function findFile(path: string): Promise<PageResponse | undefined> {
  const file = (await assets()).get(path);
  return file && { status: 200, ...file };
}

export function plain(status: number, text: string): PageResponse {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${text}\n` };
}

function json(status: number, value: object): PageResponse {
  return { status, contentType: 'application/json', body: `${safeJson(value)}\n` };
}
