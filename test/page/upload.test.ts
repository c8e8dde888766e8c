/** A person gives the page a recording. */
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type RunningGateway, startGateway } from '../support/gateway.ts';
import { fixture } from '../support/speech.ts';
import { launchBrowser, type TestBrowser, watchTexts, wavOf } from './browser.ts';

const FIXTURE = fixture('austen-0920.wav');

let gateway: RunningGateway;
let browser: TestBrowser;

// Real speech takes its time, all the more where others use the processor too.
vi.setConfig({ testTimeout: 120_000 });

beforeAll(async () => {
  [gateway, browser] = await Promise.all([startGateway({ env: { LLM: 'off' } }), launchBrowser()]);
});

afterEach(async () => {
  await browser.closePages();
});

afterAll(async () => {
  await Promise.all([browser?.close(), gateway?.stop()]);
});

const said = (page: Page) => page.locator('session-transcript .said');
const chooser = (page: Page) => page.locator('drop-zone input[type=file]');

describe('uploading on the page', () => {
  it('shows how far sending is, then how far transcribing is, then the words', async () => {
    const { page, problems } = await browser.open(gateway.url);
    const network = await page.context().newCDPSession(page);
    await network.send('Network.emulateNetworkConditions', {
      offline: false,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput: 600_000,
    });
    const labels = await watchTexts(page, 'progress-line', 'div');
    const buffer = wavOf(['austen-0920.wav', 800, 'austen-0870.wav', 800, 'austen-0880.wav']);
    await chooser(page).setInputFiles({ name: 'chapter.wav', mimeType: 'audio/wav', buffer });
    await page.getByRole('button', { name: 'Copy text' }).waitFor();
    expect(await said(page).count()).toBe(3);
    expect((await said(page).allTextContents()).join(' ')).toMatch(
      /amiable woman.*John Dashwood.*young man/s,
    );
    const seen = await labels();
    const sending = seen.filter((text) => /^Sending chapter\.wav\s+\d+%$/.test(text));
    expect(sending.length).toBeGreaterThanOrEqual(2);
    expect(seen.some((text) => /^(Transcribing|Waiting for its turn)/.test(text))).toBe(true);
    expect(problems).toEqual([]);
  });

  it('takes a file dropped anywhere', async () => {
    const { page } = await browser.open(gateway.url);
    const bytes = (await readFile(FIXTURE)).toString('base64');
    const transfer = await page.evaluateHandle(async (base64) => {
      const data = new DataTransfer();
      const audio = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      data.items.add(new File([audio], 'dropped.wav', { type: 'audio/wav' }));
      return data;
    }, bytes);
    await page.dispatchEvent('body', 'dragover', { dataTransfer: transfer });
    await page.getByText('Let go to transcribe').waitFor();
    await page.dispatchEvent('body', 'drop', { dataTransfer: transfer });
    await said(page).first().waitFor();
    await page.getByRole('button', { name: 'Copy text' }).waitFor();
    expect(await said(page).allTextContents()).toEqual([expect.stringMatching(/amiable woman/)]);
  });

  it('can be called off', async () => {
    const { page } = await browser.open(gateway.url);
    const network = await page.context().newCDPSession(page);
    await network.send('Network.emulateNetworkConditions', {
      offline: false,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput: 50_000,
    });
    await chooser(page).setInputFiles(FIXTURE);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Choose a file' }).waitFor();
    expect(await page.locator('notice-bar').count()).toBe(0);
  });

  it('says what to do with a file that is no audio', async () => {
    const { page } = await browser.open(gateway.url);
    await chooser(page).setInputFiles({
      name: 'notes.wav',
      mimeType: 'audio/wav',
      buffer: Buffer.from('no sound'),
    });
    const notice = page.getByRole('alert');
    await notice.waitFor();
    expect(await notice.textContent()).toMatch(/cannot be read.*Save it as wav, mp3, flac or ogg/s);
    await page.getByRole('button', { name: 'Dismiss' }).click();
    expect(await notice.count()).toBe(0);
  });

  it('deletes a session after asking, and shows more of a long list when asked', async () => {
    const { page } = await browser.open(gateway.url);
    const rows = page.locator('session-list li button');
    await rows.first().click();
    const before = await rows.count();
    const remove = page.getByRole('button', { name: 'Delete', exact: true });
    await remove.click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await remove.click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('heading', { name: 'Speak, and read along' }).waitFor();
    await expect.poll(() => rows.count()).toBe(before - 1);

    for (let n = 0; n < 25; n += 1) await fetch(`${gateway.url}/v1/sessions`, { method: 'POST' });
    await page.reload();
    await page.getByRole('button', { name: 'Show older' }).click();
    await expect.poll(() => rows.count()).toBe(before - 1 + 25);
    expect(await page.getByRole('button', { name: 'Show older' }).count()).toBe(0);
  });
});
