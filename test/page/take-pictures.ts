/**
 * Takes the README's pictures of the page, mid-recording, from the real thing:
 * `npx tsc && npx vite build web-demo && npx tsx test/page/take-pictures.ts`
 */
import { join } from 'node:path';
import { Earshot } from '../../src/client/earshot.ts';
import { startGateway } from '../support/gateway.ts';
import { type Heard, launchBrowser, wavOf } from './browser.ts';

const DOCS = join(import.meta.dirname, '..', '..', 'docs');
const HEARD: Heard = [400, 'austen-0880.wav', 5000, 'austen-0870.wav', 1500, 'austen-0920.wav', 60_000];
const PICTURES = [
  { file: 'page.png', locale: 'en-US', record: 'Record', model: 'Language model' },
  { file: 'page.ko.png', locale: 'ko-KR', record: '녹음', model: '언어 모델' },
] as const;

async function main(): Promise<void> {
  const gateway = await startGateway();
  const browser = await launchBrowser(HEARD);
  try {
    const client = new Earshot({ url: gateway.url });
    for (const name of ['austen-0920.wav', 'austen-0870.wav']) {
      const { id } = await client.upload(new Blob([wavOf([name])]), { metadata: { name }, llm: true });
      for await (const _event of client.events(id));
    }
    for (const { file, locale, record, model } of PICTURES) {
      const { page } = await browser.open(gateway.url, {
        locale,
        viewport: { width: 1280, height: 860 },
        deviceScaleFactor: 2,
        reducedMotion: 'no-preference',
      });
      await page.getByLabel(model).selectOption({ index: 1 });
      await page.getByRole('button', { name: record, exact: true }).click();
      await page.locator('session-transcript li:not(.hypothesis) .said').nth(1).waitFor();
      await page
        .locator('.hypothesis .unsettled')
        .filter({ hasText: /\w+ \w+/ })
        .waitFor();
      await page.waitForFunction(() => {
        const stage = document.querySelector('earshot-page')?.shadowRoot?.querySelector('session-stage');
        const transcript = stage?.shadowRoot?.querySelector('session-transcript');
        return (transcript?.shadowRoot?.querySelector('.hypothesis .settled')?.textContent?.length ?? 0) > 35;
      });
      await page.screenshot({ path: join(DOCS, file) });
      await browser.closePages();
      console.log(join(DOCS, file));
    }
  } finally {
    await browser.close();
    await gateway.stop();
  }
}

await main();
