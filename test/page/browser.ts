/** Chromium by puppeteer-core, and the page in it: what it logs, what it requests, what stands in it. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';
import { eventually } from '../support/eventually.ts';

export interface PageOptions {
  readonly url: string;
  /** CSS pixels. */
  readonly width?: number;
  readonly height?: number;
  readonly scheme?: 'light' | 'dark';
  readonly reducedMotion?: boolean;
}

/** @throws an error that says how to install Chromium. */
export async function openBrowser(): Promise<TestBrowser> {
  // Root has no user namespace to be put into.
  const args = ['--disable-dev-shm-usage', ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])];
  return new TestBrowser(await puppeteer.launch({ executablePath: findChromium(), args }));
}

function findChromium(): string {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const candidates = [process.env.CHROMIUM ?? '', ...folders.map((folder) => join(folder, 'chromium'))];
  const found = candidates.find((path) => path !== '' && existsSync(path));
  if (found === undefined)
    throw new Error(
      'Chromium is not installed: run `apt-get install chromium`, or put its path into CHROMIUM',
    );
  return found;
}

export class TestBrowser implements AsyncDisposable {
  readonly #browser: Browser;

  constructor(browser: Browser) {
    this.#browser = browser;
  }

  /** Resolves when the page shows its first data or its first failure. */
  async open(options: PageOptions): Promise<OpenPage> {
    const { url, width = 1280, height = 900, scheme = 'light', reducedMotion = true } = options;
    // A context of its own: nothing that another page remembered is in it.
    const context = await this.#browser.createBrowserContext();
    const page = await context.newPage();
    const open = new OpenPage(page, url);
    await page.setViewport({ width, height });
    await page.emulateMediaFeatures([
      { name: 'prefers-color-scheme', value: scheme },
      { name: 'prefers-reduced-motion', value: reducedMotion ? 'reduce' : 'no-preference' },
    ]);
    await page.goto(url, { waitUntil: 'load' });
    await page.waitForSelector('html[data-freshness="fresh"], html[data-freshness="stale"]');
    return open;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
  }
}

export class OpenPage implements AsyncDisposable {
  readonly page: Page;
  /** Everything that the page logged, and every error that it did not catch. */
  readonly logged: string[] = [];
  /** URLs in the order of the requests. */
  readonly requested: string[] = [];
  /** URL → headers, of the last response. */
  readonly headers = new Map<string, Record<string, string>>();

  constructor(page: Page, url: string) {
    this.page = page;
    page.on('console', (message) => this.logged.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => this.logged.push(`uncaught: ${error}`));
    page.on('request', (request) => this.requested.push(request.url()));
    page.on('response', (response) => {
      this.headers.set(response.url().replace(url, '/'), response.headers());
    });
  }

  /** The text of an element as it stands there; empty if there is no such element. */
  async text(selector: string): Promise<string> {
    const texts = await this.page.$$eval(selector, (found) =>
      found.map((each) => (each as HTMLElement).innerText),
    );
    return texts.join(' ');
  }

  /** Makes the page ask for the status now, as it does when it is seen again. */
  ask(): Promise<void> {
    return this.page.evaluate(() => void document.dispatchEvent(new Event('visibilitychange')));
  }

  /** Waits until the element's text fits. */
  shows(selector: string, expected: string | RegExp): Promise<string> {
    return eventually(() => this.text(selector), fits(expected), { interval: 50 });
  }

  /** As `shows`, and the page asks again and again instead of every two seconds. */
  soonShows(selector: string, expected: string | RegExp): Promise<string> {
    const asked = async () => {
      await this.ask();
      return this.text(selector);
    };
    return eventually(asked, fits(expected), { interval: 100 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.browserContext().close();
  }
}

function fits(expected: string | RegExp): (text: string) => boolean {
  return (text) => (typeof expected === 'string' ? text.includes(expected) : expected.test(text));
}
