/** Pictures of the page to look at, where `PAGE_SCREENSHOTS` names a folder for them. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openBrowser } from './browser.ts';
import { busyDocument, emptyDocument } from './documents.ts';
import { FaultyAdmin } from './faulty-admin.ts';
import { openVisitedStage } from './stage.ts';

const folder = process.env.PAGE_SCREENSHOTS;

const pictures = [
  { name: 'real-light', document: null, width: 1440, scheme: 'light' },
  { name: 'busy-light', document: busyDocument, width: 1440, scheme: 'light' },
  { name: 'busy-dark', document: busyDocument, width: 1440, scheme: 'dark' },
  { name: 'busy-narrow', document: busyDocument, width: 360, scheme: 'light' },
  { name: 'empty-light', document: emptyDocument, width: 1440, scheme: 'light' },
  { name: 'stale-dark', document: busyDocument, width: 1440, scheme: 'dark' },
] as const;

it.runIf(folder !== undefined)('the page has its picture taken', { timeout: 300_000 }, async () => {
  await using opened = new AsyncDisposableStack();
  const browser = opened.use(await openBrowser());
  const stage = opened.use(await openVisitedStage());
  const admin = opened.use(new FaultyAdmin(stage.gateway));
  const url = await admin.listen();
  await mkdir(folder as string, { recursive: true });
  for (const { name, document, width, scheme } of pictures) {
    admin.fault = document === null ? { kind: 'none' } : { kind: 'changed', fields: document(Date.now()) };
    await using open = await browser.open({ url, width, scheme });
    await open.page.waitForSelector('[data-chart="late"] canvas');
    if (name === 'stale-dark') {
      admin.fault = { kind: 'status', status: 500 };
      await open.ask();
      await open.shows('[data-place="problem"]', '500');
    }
    await open.page.screenshot({ path: join(folder as string, `${name}.png`), fullPage: true });
    expect(open.logged.filter((line) => !line.includes('Failed to load resource'))).toEqual([]);
  }
});
