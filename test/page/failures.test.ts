/** What the page does with answers that fail: the last data stay, marked as stale, with what failed; then it recovers. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type OpenPage, openBrowser, type TestBrowser } from './browser.ts';
import { busyDocument } from './documents.ts';
import { type Fault, FaultyAdmin } from './faulty-admin.ts';
import { markup, openVisitedStage, type VisitedStage } from './stage.ts';

let browser: TestBrowser;
let stage: VisitedStage;
let admin: FaultyAdmin;
let url: string;
let open: OpenPage;
beforeAll(async () => {
  [browser, stage] = await Promise.all([openBrowser(), openVisitedStage()]);
  admin = new FaultyAdmin(stage.gateway);
  url = await admin.listen();
  open = await browser.open({ url });
});
afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await admin[Symbol.asyncDispose]();
  await stage[Symbol.asyncDispose]();
});
beforeEach(async () => {
  admin.fault = { kind: 'none' };
  await open.soonShows('[data-place="freshness"]', 'Live');
});

/** What the browser itself logs of a request that failed; the page has no say in it. */
const ofBrowser = /^error: Failed to load resource/;

async function expectStale(failure: string): Promise<void> {
  await open.soonShows('[data-place="problem"]', failure);
  await open.soonShows('[data-place="problem"]', /The data shown are \d+ s old\./);
  await open.soonShows('[data-place="freshness"]', 'Stale');
  expect(await open.page.title()).toBe('Stale · ehi-gateway');
  await open.soonShows('#announcer', failure);
  // The last data stay.
  await open.soonShows('[data-place="clients"].stale', 'Example client');
  await open.soonShows('[data-place="state"].stale', 'Ready');
}

async function expectRecovered(): Promise<void> {
  admin.fault = { kind: 'none' };
  await open.soonShows('[data-place="freshness"]', 'Live');
  await eventually(
    () => open.page.$$eval('.stale, .problem', (elements) => elements.length),
    (count) => count === 0,
  );
  expect(await open.page.title()).toBe('Ready · ehi-gateway');
  expect(open.logged.filter((line) => !ofBrowser.test(line))).toEqual([]);
}

describe('an answer that fails', () => {
  it.each<[string, Fault, string]>([
    ['with status 500', { kind: 'status', status: 500 }, 'The gateway answered 500 to /api/status.'],
    ['with status 421', { kind: 'status', status: 421 }, 'The gateway answered 421'],
    ['cut in the middle', { kind: 'cut' }, 'cut'],
    ['by a reset', { kind: 'reset' }, 'The gateway cannot be reached'],
    ['empty', { kind: 'body', body: '' }, 'is not a JSON object'],
    ['with half of the JSON', { kind: 'body', body: '{"version":1,"time":"2026-' }, 'is not a JSON object'],
    ['with HTML', { kind: 'body', body: '<script>alert(1)</script>' }, 'is not a JSON object'],
    ['with a list', { kind: 'body', body: '[1]' }, 'is not a JSON object'],
    [
      'of another version',
      { kind: 'changed', fields: { version: 2 } },
      'has version 2, and this page reads version 1',
    ],
    ['without a time', { kind: 'changed', fields: { time: undefined } }, 'has no time'],
    ['by silence', { kind: 'silent' }, 'gave no answer to /api/status within 5 s'],
  ])(
    '%s is named, the data are marked as stale, and the next good answer mends it',
    async (_, fault, failure) => {
      admin.fault = fault;
      await expectStale(failure);
      await expectRecovered();
    },
  );

  it.each<[part: string, value: unknown, place: string, fault: string]>([
    ['refused', undefined, 'refused', 'refused is missing'],
    ['clients', { length: 3 }, 'clients', 'clients is not a list'],
    ['audit', null, 'audit', 'audit is not an object'],
    ['history', { stepSeconds: 10 }, 'latency', 'history.ends is missing'],
    ['threads', [null], 'threads', 'threads[0] is not an object'],
    ['gateway', 7, 'state', 'gateway is not an object'],
  ])('in its part %s (%j) makes that part alone stale', async (part, value, place, fault) => {
    const before = await open.page.$eval(
      `[data-place="${place}"]`,
      (element) => element.querySelectorAll('*').length,
    );
    admin.fault = { kind: 'changed', fields: { [part]: value } };
    await open.soonShows(`[data-place="${place}"].stale`, fault);
    await open.soonShows(`[data-place="${place}"]`, 'Incomplete');
    await open.soonShows('[data-place="freshness"]', 'Live');
    const after = await open.page.$eval(
      `[data-place="${place}"]`,
      (element) => element.querySelectorAll('*').length,
    );
    expect(after).toBeGreaterThanOrEqual(before);
    const stale = await open.page.$$eval('.stale', (elements) =>
      elements.map((element) => (element as HTMLElement).dataset.place),
    );
    expect(stale).toEqual(part === 'history' ? ['verdicts', 'latency'] : [place]);
    await expectRecovered();
  });

  it('from the first one on leaves a page that says so, and that begins when the gateway answers', async () => {
    admin.fault = { kind: 'status', status: 503 };
    await using first = await browser.open({ url });
    await first.shows(
      '[data-place="problem"]',
      'There are no data to show. The gateway answered 503 to /api/status.',
    );
    await first.shows('[data-place="state"]', 'Waiting for the first data.');
    admin.fault = { kind: 'none' };
    await first.soonShows('[data-place="state"]', 'Ready');
    expect(first.logged.filter((line) => !ofBrowser.test(line))).toEqual([]);
  });
});

describe('an answer full of markup', () => {
  it('is shown as text, in every field', async () => {
    const document = busyDocument(Date.now());
    admin.fault = { kind: 'changed', fields: withMarkup(document) as Readonly<Record<string, unknown>> };
    for (const place of [
      'state',
      'attention',
      'refused',
      'clients',
      'certificates',
      'trust',
      'keys',
      'upstreams',
      'changes',
    ])
      await open.soonShows(`[data-place="${place}"]`, markup);
    const injected = 'main img, main svg, main script, main iframe, main a:not([href^="#"])';
    expect(await open.page.$$eval(injected, (elements) => elements.length)).toBe(0);
    expect(await open.page.$eval('#announcer', (element) => element.childElementCount)).toBe(0);
    await expectRecovered();
  });
});

/** Every text that is no time is markup. */
function withMarkup(value: unknown): unknown {
  if (typeof value === 'string') return Number.isNaN(Date.parse(value)) ? markup : value;
  if (Array.isArray(value)) return value.map(withMarkup);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, withMarkup(each)]));
}
