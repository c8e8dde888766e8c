/** The page for everybody: two languages, keyboard, screen readers, small screens, keys, and what can go wrong. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type RunningGateway, startGateway } from '../support/gateway.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { accessibilityViolations, launchBrowser, type TestBrowser } from './browser.ts';

const KEY = 'a-key-for-the-page-tests-0123456789';

let gateway: RunningGateway;
let browser: TestBrowser;
let deaf: TestBrowser;

// Real speech takes its time, all the more where others use the processor too.
vi.setConfig({ testTimeout: 120_000 });

beforeAll(async () => {
  [gateway, browser, deaf] = await Promise.all([
    startGateway({ env: { LLM: 'off', API_KEYS: KEY } }),
    launchBrowser([300, 'austen-0880.wav', 60_000]),
    launchBrowser(),
  ]);
});

afterEach(async () => {
  await Promise.all([browser.closePages(), deaf.closePages()]);
});

afterAll(async () => {
  await Promise.all([browser?.close(), deaf?.close(), gateway?.stop()]);
});

async function enterKey(page: Page, key = KEY): Promise<void> {
  await page.locator('key-dialog input').fill(key);
  await page.keyboard.press('Enter');
}

/** What the element with the focus is called. */
const focusedName = (page: Page): Promise<string> =>
  page.evaluate(() => {
    let element = document.activeElement;
    while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
    return element?.getAttribute('aria-label') ?? element?.textContent?.trim() ?? '';
  });

/** Presses Tab until the element has the focus. */
async function tabTo(page: Page, name: string): Promise<void> {
  const reached: string[] = [];
  for (let presses = 0; presses < 40 && reached.at(-1) !== name; presses += 1) {
    await page.keyboard.press('Tab');
    reached.push(await focusedName(page));
  }
  expect(reached, reached.join(', ')).toContain(name);
}

describe('a gateway with keys', () => {
  it('is asked again until the key is right, and not again after a reload', async () => {
    const { page } = await browser.open(gateway.url);
    await enterKey(page, 'wrong');
    await page.getByText('does not accept this key').waitFor();
    await enterKey(page);
    await page.getByText('Your recordings will be listed here.').waitFor();
    await page.reload();
    await page.getByText('Your recordings will be listed here.').waitFor();
    expect(await page.locator('key-dialog dialog').isVisible()).toBe(false);
  });

  it('says what to do when no key is entered', async () => {
    const { page } = await browser.open(gateway.url);
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    expect(await page.getByRole('alert').textContent()).toMatch(/asks for a key/);
  });
});

describe('the page in Korean', () => {
  it('speaks Korean to those whose browser does, all of it', async () => {
    const { page } = await browser.open(gateway.url, { locale: 'ko-KR' });
    await enterKey(page);
    await page.getByText('녹음한 내용이 여기에 모입니다.').waitFor();
    expect(await page.locator('html').getAttribute('lang')).toBe('ko');
    await page.getByRole('button', { name: '녹음' }).waitFor();
    const english = await page.evaluate(() => {
      const textOf = (root: ParentNode): string =>
        [...root.querySelectorAll('*')]
          .map((element) =>
            element.shadowRoot
              ? textOf(element.shadowRoot)
              : element.children.length === 0 && element.localName !== 'option'
                ? (element.textContent ?? '')
                : '',
          )
          .join('\n');
      return textOf(document.body).match(/[A-Za-z]{2,}/g) ?? [];
    });
    // Names, formats and the other language's own name stay as they are.
    const expected = /^(Earshot|API|English|wav|mp|flac|ogg|webm|This|page|needs|JavaScript)$/;
    expect(english.filter((word) => !expected.test(word))).toEqual([]);
  });

  it('can be chosen, and stays chosen', async () => {
    const { page } = await browser.open(gateway.url);
    await enterKey(page);
    await page.getByRole('radio', { name: '한국어' }).check();
    await page.getByRole('heading', { name: '말하면 바로 글이 됩니다' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: '말하면 바로 글이 됩니다' }).waitFor();
    expect(await page.locator('html').getAttribute('lang')).toBe('ko');
  });
});

describe('the page by keyboard and ear', () => {
  it('records with the keyboard alone, and speaks finals to screen readers, but no hypotheses', async () => {
    const { page } = await browser.open(gateway.url);
    await enterKey(page);
    await tabTo(page, 'Record');
    await page.keyboard.press('Enter');
    await page.locator('.hypothesis .said').waitFor();
    expect(await page.getByRole('log').textContent()).not.toMatch(/\w/);
    await page.getByRole('log').getByText('young man').waitFor({ state: 'attached' });
    await page.keyboard.press('Space');
    await page.getByRole('button', { name: 'Copy text' }).waitFor();
    await tabTo(page, 'Delete');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await page.locator('session-transcript .said').waitFor();
  });

  it('lets the keyboard skip to the transcript', async () => {
    const { page } = await browser.open(gateway.url);
    await enterKey(page);
    await tabTo(page, 'Skip to the transcript');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    expect(await focusedName(page)).toBe('Choose a file');
  });

  for (const colorScheme of ['light', 'dark'] as const)
    it(`has no accessibility violations in any of its states, in ${colorScheme}`, async () => {
      const { page } = await browser.open(gateway.url, { colorScheme });
      await page.locator('key-dialog dialog').waitFor();
      expect(await accessibilityViolations(page)).toEqual([]);
      await enterKey(page);
      await page.locator('session-list li').first().waitFor();
      expect(await accessibilityViolations(page)).toEqual([]);
      await page.getByRole('button', { name: 'Record', exact: true }).click();
      await page.locator('.hypothesis .said').waitFor();
      expect(await accessibilityViolations(page)).toEqual([]);
      await page.getByRole('button', { name: 'Record', exact: true }).click();
      await page.getByRole('button', { name: 'Delete' }).click();
      await page.getByRole('dialog').waitFor();
      expect(await accessibilityViolations(page)).toEqual([]);
    });

  it('fits a screen 320 pixels wide', async () => {
    const { page } = await browser.open(gateway.url, {
      viewport: { width: 320, height: 640 },
      locale: 'ko-KR',
    });
    await enterKey(page);
    await page.locator('session-list li button').first().click();
    await page.locator('session-tools').waitFor();
    expect(await page.evaluate(() => [document.documentElement.scrollWidth, scrollY])).toEqual([320, 0]);
    expect(await accessibilityViolations(page)).toEqual([]);
  });
});

describe('when something does not work', () => {
  it('tells how to allow the microphone', async () => {
    const { page } = await deaf.open(gateway.url);
    await enterKey(page);
    await page.getByRole('button', { name: 'Record', exact: true }).click();
    expect(await page.getByRole('alert').textContent()).toMatch(/microphone is blocked.*Allow it/s);
    expect(await page.getByRole('button', { name: 'Record', exact: true }).getAttribute('aria-pressed')).toBe(
      'false',
    );
  });

  it('says that the gateway does not answer, and records once it does', async () => {
    const { hostname: host, port } = new URL(gateway.url);
    const proxy = new TcpProxy({ host, port: Number(port) });
    await proxy.set('forward');
    try {
      const { page } = await browser.open(`http://127.0.0.1:${proxy.port}`);
      await enterKey(page);
      await page.locator('session-list li').first().waitFor();
      await proxy.set('refuse');
      await page.getByRole('button', { name: 'Record', exact: true }).click();
      const notice = page.getByRole('alert');
      await notice.waitFor();
      expect(await notice.textContent()).toMatch(/does not answer.*Check that it is running/s);
      await proxy.set('forward');
      await page.getByRole('button', { name: 'Record', exact: true }).click();
      await page.getByText('Recording', { exact: true }).waitFor();
      await page.getByRole('button', { name: 'Record', exact: true }).click();
    } finally {
      await proxy.close();
    }
  });

  it('says that a session is gone', async () => {
    const { page } = await browser.open(`${gateway.url}/#ses_gone`);
    await enterKey(page);
    expect(await page.getByRole('alert').textContent()).toMatch(/no longer exists/);
  });
});
