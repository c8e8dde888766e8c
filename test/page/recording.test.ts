/** A person opens the page, speaks, and reads: the whole road, from a microphone to a reload. */
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Earshot } from '../../src/client/earshot.ts';
import { type RunningGateway, startGateway } from '../support/gateway.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { errorRateOf, type Heard, launchBrowser, type TestBrowser, watchTexts, wavOf } from './browser.ts';

const HEARD: Heard = [300, 'austen-0880.wav', 1500, 'austen-0920.wav', 60_000];
/** A busy machine's fake microphone stutters now and then: single words may suffer, whole utterances not. */
const MOST_WORDS = 0.25;

let gateway: RunningGateway;
let browser: TestBrowser;

// Real speech takes its time, all the more where others use the processor too.
vi.setConfig({ testTimeout: 120_000 });

beforeAll(async () => {
  [gateway, browser] = await Promise.all([
    startGateway({ env: { LLM_STALL_MS: '100000', LLM_TIMEOUT_MS: '100000' } }),
    launchBrowser(HEARD),
  ]);
});

afterEach(async () => {
  await browser.closePages();
});

afterAll(async () => {
  await Promise.all([browser?.close(), gateway?.stop()]);
});

const record = (page: Page) => page.getByRole('button', { name: 'Record', exact: true });
const finals = (page: Page) => page.locator('session-transcript li:not(.hypothesis) .said');

describe('recording on the page', () => {
  it('shows words while they are spoken, then for good, answers, and lists the session after a reload', async () => {
    const { page, problems } = await browser.open(gateway.url);
    await page.getByLabel('Language model').selectOption('Each utterance');
    const hypotheses = await watchTexts(page, 'session-transcript', '.hypothesis .said');
    const answers = await watchTexts(page, 'model-answer', '.growing');

    await record(page).click();
    await page.getByText('Recording', { exact: true }).waitFor();
    expect(await record(page).getAttribute('aria-pressed')).toBe('true');
    await finals(page).nth(1).waitFor();
    await page.locator('model-answer .whole').first().waitFor({ timeout: 100_000 });
    await record(page).click();
    await page.getByRole('button', { name: 'Copy text' }).waitFor();
    expect(await record(page).getAttribute('aria-pressed')).toBe('false');

    // Hypotheses came before finals, and more than one of them.
    expect((await hypotheses()).length).toBeGreaterThanOrEqual(2);
    const said = await finals(page).allTextContents();
    expect(errorRateOf(said, HEARD)).toBeLessThanOrEqual(MOST_WORDS);
    // The answer grew before it was whole.
    const id = new URL(page.url()).hash.slice(1);
    const session = await new Earshot({ url: gateway.url }).session(id);
    expect(session.utterances.map(({ text }) => text)).toEqual(said);
    const [answer] = session.llm!.responses;
    expect(answer!.text).not.toBe('');
    expect((await answers()).some((text) => text !== '' && answer!.text.startsWith(text))).toBe(true);
    await expect.poll(() => page.locator('model-answer p').first().textContent()).toBe(answer!.text);

    await page.reload();
    await page.locator('session-list').getByRole('button', { name: said[0]! }).waitFor();
    expect(await finals(page).allTextContents()).toEqual(said);
    expect(problems).toEqual([]);
  });

  it('gives the text to take along, in every format and to the clipboard', async () => {
    const client = new Earshot({ url: gateway.url });
    const { id } = await client.upload(new Blob([wavOf(HEARD.slice(0, -1))]));
    for await (const _event of client.events(id));
    const { page } = await browser.open(`${gateway.url}/#${id}`);
    const texts: Record<string, string> = {};
    for (const format of ['txt', 'srt', 'vtt', 'json']) {
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: `Download: ${format}` }).click(),
      ]);
      expect(download.suggestedFilename()).toMatch(new RegExp(`^earshot-.*\\.${format}$`));
      texts[format] = await readFile(await download.path(), 'utf8');
    }
    expect(texts.txt).toMatch(/young man.*\n.*amiable woman/);
    expect(texts.srt).toMatch(/^1\n\d\d:\d\d:\d\d,\d{3} --> /);
    expect(texts.vtt).toMatch(/^WEBVTT\n/);
    expect(JSON.parse(texts.json!).utterances).toHaveLength(2);
    await page.getByRole('button', { name: 'Copy text' }).click();
    await page.getByText('Copied').waitFor({ state: 'attached' });
    expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(/young man.*amiable woman/);
  });

  it('goes on by itself after the connection was cut, and loses no word', async () => {
    const { hostname: host, port } = new URL(gateway.url);
    const proxy = new TcpProxy({ host, port: Number(port) });
    await proxy.set('forward');
    try {
      const { page } = await browser.open(`http://127.0.0.1:${proxy.port}`);
      await record(page).click();
      await page.locator('.hypothesis .said').waitFor();
      await proxy.set('refuse');
      await page.getByText('Reconnecting …').waitFor();
      await page.getByText('The connection was lost.', { exact: false }).waitFor();
      await proxy.set('forward');
      await page.getByText('Recording', { exact: true }).waitFor();
      await finals(page).nth(1).waitFor();
      await record(page).click();
      await page.getByRole('button', { name: 'Copy text' }).waitFor();
      expect(errorRateOf(await finals(page).allTextContents(), HEARD)).toBeLessThanOrEqual(MOST_WORDS);
    } finally {
      await proxy.close();
    }
  });

  it('follows, in another window, what is being recorded in this one', async () => {
    const { page: recording } = await browser.open(gateway.url);
    const { page: following } = await browser.open(gateway.url);
    await record(recording).click();
    await recording.locator('.hypothesis .said').waitFor();
    await following.locator('session-list').getByRole('button', { name: 'In progress' }).click();
    await following.locator('session-transcript .said').first().waitFor();
    await finals(recording).nth(1).waitFor();
    await record(recording).click();
    await following.getByRole('button', { name: 'Copy text' }).waitFor();
    expect(await finals(following).allTextContents()).toEqual(await finals(recording).allTextContents());
  });
});
