/** The page for readers without a pointer, without colours, or without a screen. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OpenPage, openBrowser, type TestBrowser } from './browser.ts';
import { busyDocument, calmDocument, emptyDocument } from './documents.ts';
import { FaultyAdmin } from './faulty-admin.ts';
import { openVisitedStage, type VisitedStage } from './stage.ts';

const axe = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');

let browser: TestBrowser;
let stage: VisitedStage;
let admin: FaultyAdmin;
let url: string;
beforeAll(async () => {
  [browser, stage] = await Promise.all([openBrowser(), openVisitedStage()]);
  admin = new FaultyAdmin(stage.gateway);
  url = await admin.listen();
});
afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await admin[Symbol.asyncDispose]();
  await stage[Symbol.asyncDispose]();
});

/** What axe finds, of any impact, as `rule: element`. */
async function findings({ page }: OpenPage): Promise<string[]> {
  // The debugger may run it; the page itself may not.
  const client = await page.createCDPSession();
  await client.send('Runtime.evaluate', { expression: axe });
  const { result } = await client.send('Runtime.evaluate', {
    expression: `axe.run(document).then(({ violations }) =>
      violations.flatMap(({ id, impact, nodes }) => nodes.map(({ html }) => id + ' (' + impact + '): ' + html.slice(0, 200))))`,
    awaitPromise: true,
    returnByValue: true,
  });
  return result.value as string[];
}

const documents = { real: null, busy: busyDocument, calm: calmDocument, empty: emptyDocument };

describe('axe', () => {
  it.each<[keyof typeof documents, 'light' | 'dark', number]>([
    ['real', 'light', 1280],
    ['real', 'dark', 360],
    ['busy', 'dark', 1280],
    ['busy', 'light', 360],
    ['calm', 'light', 768],
    ['empty', 'dark', 1280],
  ])('finds nothing in the page with %s data, in %s, %i pixels wide', async (name, scheme, width) => {
    const document = documents[name];
    admin.fault = document === null ? { kind: 'none' } : { kind: 'changed', fields: document(Date.now()) };
    await using open = await browser.open({ url, width, scheme });
    await open.page.click('[data-details="verdicts-table"] summary');
    await open.page.waitForSelector('[data-details="verdicts-table"] .values');
    expect(await findings(open)).toEqual([]);
  });

  it('finds nothing in a stale page', async () => {
    admin.fault = { kind: 'none' };
    await using open = await browser.open({ url });
    admin.fault = { kind: 'status', status: 500 };
    await open.ask();
    await open.shows('[data-place="problem"]', '500');
    expect(await findings(open)).toEqual([]);
  });
});

describe('a reader with a keyboard', () => {
  it('reaches everything in the order of the page, sees where the focus is, and can skip to the content', async () => {
    admin.fault = { kind: 'changed', fields: busyDocument(Date.now()) };
    await using open = await browser.open({ url });
    await open.page.waitForSelector('.more');
    await open.page.keyboard.press('Tab');
    await open.page.keyboard.press('Enter');
    expect(await open.page.evaluate(() => document.activeElement?.id)).toBe('main');
    await using fresh = await browser.open({ url });
    await fresh.page.waitForSelector('.more');
    const visited = await walk(fresh);
    expect(visited.map(({ name }) => name)).toEqual([
      'Skip to the content',
      'auto',
      ...['Now', 'Verdicts', 'Latency needs attention', 'Refused', 'Clients needs attention'],
      ...['Certificates needs attention', 'Trust needs attention', 'Keys needs attention'],
      ...['Revocation needs attention', 'Upstreams needs attention', 'Changes', 'Threads', 'Audit'],
      ...Array.from({ length: 9 }, () => 'attention'),
      'Handshakes as a table',
      'Messages as a table',
      'Show all 14',
      '/api/status',
      '/metrics',
    ]);
    const invisible = visited.filter(({ isOutlined, isInView }) => !isOutlined || !isInView);
    expect(invisible).toEqual([]);
    const tops = visited.slice(1).map(({ top }) => top);
    expect(tops).toEqual(tops.toSorted((one, other) => one - other));
  });

  it('opens lists and tables, which stay open', async () => {
    admin.fault = { kind: 'changed', fields: busyDocument(Date.now()) };
    await using open = await browser.open({ url });
    await open.page.focus('[data-details="latency-table"] summary');
    await open.page.keyboard.press('Enter');
    await open.page.waitForSelector('[data-details="latency-table"] tbody tr');
    await open.page.focus('[data-place="refused"] .more');
    await open.page.keyboard.press('Space');
    await open.shows('[data-place="refused"]', 'Show the first 10');
    expect(await open.page.evaluate(() => document.activeElement?.getAttribute('aria-expanded'))).toBe(
      'true',
    );
    expect(await open.page.$$eval('.refused tbody tr', (rows) => rows.length)).toBe(14);
  });
});

interface Visited {
  readonly name: string;
  readonly top: number;
  readonly isOutlined: boolean;
  readonly isInView: boolean;
}

/** Presses Tab until the focus leaves the page. */
async function walk({ page }: OpenPage): Promise<Visited[]> {
  const visited: Visited[] = [];
  for (;;) {
    await page.keyboard.press('Tab');
    const found = await page.evaluate(() => {
      const element = document.activeElement;
      if (!(element instanceof HTMLElement) || element === document.body) return null;
      // Of the switch of colours, the label shows the focus.
      const shown = element instanceof HTMLInputElement ? (element.nextElementSibling ?? element) : element;
      const { outlineStyle, outlineWidth } = getComputedStyle(shown);
      const { top, bottom } = shown.getBoundingClientRect();
      const header = document.querySelector('.top')?.getBoundingClientRect().bottom ?? 0;
      const isFixed = element.closest('.top, .skip') !== null;
      const name =
        element.closest('.attention') === null
          ? (element.getAttribute('value') ?? element.textContent.replace(/[✕!]/, ''))
          : 'attention';
      return {
        name,
        top: Math.round(isFixed ? 0 : top + scrollY),
        isOutlined: outlineStyle !== 'none' && outlineWidth !== '0px',
        isInView: isFixed || (top >= header && bottom <= innerHeight),
      };
    });
    if (found === null) return visited;
    visited.push(found);
  }
}

describe('the page without a pointer, a picture or motion', () => {
  it('has landmarks, one first heading, and a heading for each section', async () => {
    admin.fault = { kind: 'none' };
    await using open = await browser.open({ url });
    const found = await open.page.evaluate(() => ({
      landmarks: ['header', 'nav[aria-label]', 'main', 'footer'].filter(
        (each) => document.querySelector(each) === null,
      ),
      first: document.querySelectorAll('h1').length,
      unnamed: [...document.querySelectorAll('section')].filter(
        (section) => document.getElementById(section.getAttribute('aria-labelledby') ?? '')?.tagName !== 'H2',
      ).length,
      language: document.documentElement.lang,
    }));
    expect(found).toEqual({ landmarks: [], first: 1, unnamed: 0, language: 'en' });
  });

  it('gives each chart a sentence and a table of its values', async () => {
    admin.fault = { kind: 'changed', fields: busyDocument(Date.now()) };
    await using open = await browser.open({ url });
    const labels = await open.page.$$eval('[data-chart]', (all) =>
      all.map((each) => each.getAttribute('aria-label')),
    );
    expect(labels).toContain('Chart: Denied, 45 in the last hour, at most 12 a minute');
    for (const id of ['verdicts-table', 'latency-table']) {
      await open.page.click(`[data-details="${id}"] summary`);
      await open.page.waitForSelector(`[data-details="${id}"] tbody tr`);
    }
    const sum = await open.page.$$eval('[data-details="verdicts-table"] td[data-label="Denied"]', (cells) =>
      cells.reduce((sum, cell) => sum + Number(cell.textContent), 0),
    );
    expect(sum).toBe(45);
  });

  it('speaks by a live region when the state changes, and is silent while it stays', async () => {
    admin.fault = { kind: 'none' };
    await using open = await browser.open({ url });
    await open.shows('#announcer', 'Ready');
    await open.page.evaluate(() => {
      Object.assign(globalThis, { changes: 0, answers: 0 });
      const count = (name: string) => () =>
        Object.assign(globalThis, { [name]: Reflect.get(globalThis, name) + 1 });
      const announcer = document.querySelector('#announcer') as Node;
      new MutationObserver(count('changes')).observe(announcer, {
        childList: true,
        subtree: true,
        characterData: true,
      });
      const list = document.querySelector('[data-place="threads"]') as Node;
      new MutationObserver(count('answers')).observe(list, {
        childList: true,
        subtree: true,
        characterData: true,
      });
    });
    await open.page.waitForFunction(
      () => performance.getEntriesByName(`${location.origin}/api/status`).length >= 3,
    );
    expect(await open.page.evaluate(() => Reflect.get(globalThis, 'changes'))).toBe(0);
  });

  it('scrolls smoothly only for readers who did not ask for less motion', async () => {
    const behaviour = async (reducedMotion: boolean) => {
      await using open = await browser.open({ url, reducedMotion });
      return open.page.evaluate(() => getComputedStyle(document.documentElement).scrollBehavior);
    };
    expect([await behaviour(true), await behaviour(false)]).toEqual(['auto', 'smooth']);
  });
});
