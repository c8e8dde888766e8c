/** Real Chromium, with a microphone that hears a file, and the checks every page test needs. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axe from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { chromiumPath } from '../support/chromium.ts';
import { errorRate, pcmOf, silence, TRANSCRIPTS } from '../support/speech.ts';

/** What the microphone hears: fixtures by name, and silence in milliseconds. */
export type Heard = readonly (string | number)[];

export interface TestBrowser {
  /** A page of its own, with nothing remembered; `problems` is what its console complained of. */
  open(url: string, options?: BrowserContextOptions): Promise<{ page: Page; problems: string[] }>;
  /** Closes the pages that were opened. */
  closePages(): Promise<void>;
  close(): Promise<void>;
}

/** A 16 kHz mono s16 WAV file of fixtures and silence. */
export function wavOf(heard: Heard): Buffer<ArrayBuffer> {
  const data = Buffer.concat(heard.map((item) => (typeof item === 'number' ? silence(item) : pcmOf(item))));
  const header = Buffer.alloc(44);
  header.write('RIFF\0\0\0\0WAVEfmt ', 'latin1');
  header.writeUInt32LE(36 + data.length, 4);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(16_000, 24);
  header.writeUInt32LE(32_000, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(data.length, 40);
  return Buffer.concat([header, data]);
}

/** Word errors per word of what was said in the fixtures. */
export function errorRateOf(texts: readonly string[], heard: Heard): number {
  const said = heard.filter((item) => typeof item === 'string').map((name) => TRANSCRIPTS[name]!.text);
  return errorRate(texts.join(' '), said.join(' '));
}

/** @param heard Left out: the microphone is not allowed. */
export async function launchBrowser(heard?: Heard): Promise<TestBrowser> {
  const folder = await mkdtemp(join(tmpdir(), 'earshot-page-'));
  const file = join(folder, 'heard.wav');
  if (heard) await writeFile(file, wavOf(heard));
  const browser: Browser = await chromium.launch({
    executablePath: chromiumPath,
    args: [
      '--no-sandbox',
      '--use-fake-device-for-media-stream',
      ...(heard
        ? ['--use-fake-ui-for-media-stream', `--use-file-for-fake-audio-capture=${file}%noloop`]
        : ['--deny-permission-prompts']),
    ],
  });
  return {
    async open(url, options = {}) {
      const context = await browser.newContext({
        locale: 'en-US',
        reducedMotion: 'reduce',
        acceptDownloads: true,
        ...(heard && { permissions: ['microphone', 'clipboard-read', 'clipboard-write'] }),
        ...options,
      });
      context.setDefaultTimeout(40_000);
      const page = await context.newPage();
      const problems: string[] = [];
      page.on('pageerror', (error) => problems.push(error.message));
      page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
      // The page must work where nothing but the gateway can be reached.
      page.on('request', (request) => {
        const { origin, protocol } = new URL(request.url());
        if (protocol.startsWith('http') && origin !== new URL(url).origin)
          problems.push(`a request to ${request.url()}`);
      });
      await page.goto(url);
      return { page, problems };
    },
    async closePages() {
      await Promise.all(browser.contexts().map((context) => context.close()));
    },
    async close() {
      await browser.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What axe-core finds against WCAG 2.2 AA and its own best practices, each with the elements at fault. */
export async function accessibilityViolations(page: Page): Promise<string[]> {
  // Evaluated rather than added as a script: the page's content security policy allows no foreign ones.
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const { axe: checker } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
    };
    const { violations } = await checker.run();
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
  });
}

/** Collects every text an element of the page ever shows, from now on. */
export async function watchTexts(
  page: Page,
  host: string,
  selector: string,
): Promise<() => Promise<string[]>> {
  const key = `${host} ${selector}`;
  await page.evaluate(
    ([hostName, part, name]) => {
      const store = globalThis as unknown as Record<string, Set<string>>;
      const seen = (store[name!] = new Set<string>());
      const findAll = (root: ParentNode): Element[] =>
        [...root.querySelectorAll('*')].flatMap((element) => [
          ...(element.localName === hostName ? [element] : []),
          ...(element.shadowRoot ? findAll(element.shadowRoot) : []),
        ]);
      const look = () => {
        for (const element of findAll(document))
          for (const found of element.shadowRoot?.querySelectorAll(part!) ?? []) {
            const text = found.textContent?.trim();
            if (text) seen.add(text);
          }
        requestAnimationFrame(look);
      };
      look();
    },
    [host, selector, key],
  );
  return () =>
    page.evaluate((name) => [...(globalThis as unknown as Record<string, Set<string>>)[name]!], key);
}
