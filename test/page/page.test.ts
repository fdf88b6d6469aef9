/** The admin page of a real gateway in a browser. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { post } from '../support/process/client.ts';
import { type OpenPage, openBrowser, type TestBrowser } from './browser.ts';
import { openVisitedStage, type VisitedStage } from './stage.ts';

let browser: TestBrowser;
let stage: VisitedStage;
beforeAll(async () => {
  [browser, stage] = await Promise.all([openBrowser(), openVisitedStage()]);
});
afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await stage[Symbol.asyncDispose]();
});

const statusRequests = (open: OpenPage) => open.requested.filter((url) => url.endsWith('/api/status')).length;

describe('the page', () => {
  it('shows the state of the gateway, logs nothing, and requests nothing from elsewhere', async () => {
    await using open = await browser.open({ url: stage.url });
    await open.shows('[data-place="state"]', 'Ready');
    expect(await open.page.title()).toBe('Ready · ehi-gateway');
    await open.shows('[data-place="freshness"]', 'Live');
    await open.shows('[data-place="state"]', String(stage.gateway.port));
    await open.shows('[data-place="refused"]', 'no_certificate');
    await open.shows('[data-place="refused"]', 'What to do at the client:');
    await open.shows('[data-place="clients"]', 'Example client');
    await open.shows('[data-place="certificates"]', 'localhost');
    await open.shows('[data-place="trust"]', 'example');
    await open.shows('[data-place="upstreams"]', stage.host.url);
    await open.shows('[data-place="threads"]', 'ms');
    await open.shows('[data-place="audit"]', 'stdout');
    expect(open.logged).toEqual([]);
    expect(open.requested.filter((url) => !url.startsWith(stage.url) && !url.startsWith('data:'))).toEqual(
      [],
    );
    const policy = open.headers.get('/')?.['content-security-policy'] ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe');
    // Types are stripped from the sources on this request.
    expect(stage.gateway.stderr).not.toContain('Warning');
  });

  it('draws the charts, although the policy forbids style attributes', async () => {
    await using open = await browser.open({ url: stage.url });
    await open.page.waitForSelector('[data-chart="latency"] canvas');
    const charts = await open.page.$$eval('[data-chart]', (places) =>
      places.map((place) => ({
        id: (place as HTMLElement).dataset.chart,
        width: place.querySelector('canvas')?.getBoundingClientRect().width ?? 0,
        label: place.getAttribute('aria-label'),
      })),
    );
    expect(charts.map(({ id }) => id)).toEqual(['allowed', 'denied', 'failed', 'latency', 'rate', 'late']);
    for (const { width, label } of charts) {
      expect(width).toBeGreaterThan(300);
      expect(label).toMatch(/^Chart: /);
    }
    expect(open.logged).toEqual([]);
  });

  it('is brought up to date by each answer', async () => {
    await using open = await browser.open({ url: stage.url });
    const before = statusRequests(open);
    await stage.send(post(), { leaf: undefined, localAddress: '127.0.0.77' });
    await open.shows('[data-place="refused"]', '127.0.0.77');
    expect(statusRequests(open)).toBeGreaterThan(before);
  });

  it('keeps what the reader has selected and focused', async () => {
    await using open = await browser.open({ url: stage.url });
    await open.shows('[data-place="clients"]', 'Example client');
    await open.page.evaluate(() => {
      const cell = document.querySelector('[data-place="clients"] tbody th code');
      if (cell !== null) getSelection()?.selectAllChildren(cell);
    });
    const selected = await open.page.evaluate(() => String(getSelection()));
    expect(selected).not.toBe('');
    await open.page.focus('[data-details="latency-table"] summary');
    const answers = statusRequests(open);
    await eventually(() => statusRequests(open) > answers + 1);
    expect(await open.page.evaluate(() => String(getSelection()))).toBe(selected);
    expect(await open.page.evaluate(() => document.activeElement?.tagName)).toBe('SUMMARY');
  });

  it('asks nothing while it is hidden, and at once when it is seen again', async () => {
    await using open = await browser.open({ url: stage.url });
    const setHidden = (hidden: boolean) =>
      open.page.evaluate((hidden) => {
        Object.defineProperty(document, 'hidden', { configurable: true, value: hidden });
        document.dispatchEvent(new Event('visibilitychange'));
      }, hidden);
    await setHidden(true);
    // The time of two polls, in the browser: a request that was under way is finished before.
    const asked = await open.page.evaluate(async () => {
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      const count = () => performance.getEntriesByName(`${location.origin}/api/status`).length;
      const before = count();
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      return count() - before;
    });
    expect(asked).toBe(0);
    const before = statusRequests(open);
    await setHidden(false);
    await eventually(() => statusRequests(open) > before);
  });

  it('remembers the colours that the reader chose', async () => {
    await using open = await browser.open({ url: stage.url, scheme: 'light' });
    const background = () => open.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await background();
    await open.page.click('input[name="theme"][value="dark"] + span');
    const dark = await background();
    expect(dark).not.toBe(light);
    await open.page.reload({ waitUntil: 'load' });
    expect(await background()).toBe(dark);
    expect(await open.page.$eval('input[value="dark"]', (input) => (input as HTMLInputElement).checked)).toBe(
      true,
    );
    await open.page.click('input[name="theme"][value="auto"] + span');
    expect(await background()).toBe(light);
    await open.page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }]);
    expect(await background()).toBe(dark);
  });

  it('shows markup in a client’s certificate as text, and characters that would reorder it as their code', async () => {
    await using open = await browser.open({ url: stage.url });
    // Names are written as in RFC 4514, so that < has a backslash before it.
    await open.shows('[data-place="refused"]', '<img src=x onerror=alert(1)\\>\\e2\\80\\aetxt');
    const shown = await open.page.$eval('body', ({ textContent }) => textContent ?? '');
    expect(shown).not.toMatch(/[\p{Cf}\p{Zl}\p{Zp}]/u);
    const injected = 'main img, main svg, main script, main b:not([class])';
    expect(await open.page.$$eval(injected, (elements) => elements.length)).toBe(0);
    expect(open.logged).toEqual([]);
  });

  it.each([320, 360, 768, 1024, 1920])(
    'fits a window of %i pixels without scrolling sideways',
    async (width) => {
      await using open = await browser.open({ url: stage.url, width });
      await open.page.waitForSelector('[data-chart="late"] canvas');
      const wide = await open.page.$$eval('body *', (elements) =>
        elements
          .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
          .map((element) => `${element.tagName}.${element.className}`),
      );
      expect(wide).toEqual([]);
      expect(await open.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
    },
  );
});
