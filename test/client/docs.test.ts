/** What docs/clients.md says of JavaScript is run as it is printed; the compat tests run the rest. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Earshot } from '../../src/client/earshot.ts';
import { blocksOf } from '../docs/examples.ts';
import { chromiumPath, isWithoutChromium } from '../support/chromium.ts';
import { freshFolder } from '../support/databases.ts';
import { type RunningGateway, startGateway } from '../support/gateway.ts';
import { errorRate, fixture, TRANSCRIPTS } from '../support/speech.ts';

const root = join(import.meta.dirname, '..', '..');
const read = (name: string): string => readFileSync(join(root, 'docs', name), 'utf8');
const english = read('clients.md');
const korean = read('clients.ko.md');
const SAID = TRANSCRIPTS['austen-0880.wav']!.text;
/** Beside this file, so that `earshot/client` is found from it. */
const file = join(import.meta.dirname, `example-${process.pid}.ts`);

describe('docs/clients.md', () => {
  let gateway: RunningGateway;
  let site: Server;
  let origin: string;
  let folder: Awaited<ReturnType<typeof freshFolder>>;
  const [live, recording, feed] = blocksOf(english, 'ts');
  beforeAll(async () => {
    folder = await freshFolder();
    site = createServer((_, response) => {
      response.setHeader('content-type', 'text/html; charset=utf-8');
      response.end(here(blocksOf(english, 'html')[0]!));
    }).listen(0, '127.0.0.1');
    await once(site, 'listening');
    origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
    gateway = await startGateway({ env: { STT_WORKERS: '1', LLM: 'off', ALLOWED_ORIGINS: origin } });
  });
  afterEach(() => rm(file, { force: true }));
  afterAll(async () => {
    site?.close();
    await gateway?.stop();
    await folder?.remove();
  });

  /** The gateway of the examples is the one of this test. */
  const here = (text: string): string => text.replaceAll('http://127.0.0.1:8080', gateway.url);
  const args = ['--import', join(root, 'node_modules', 'tsx', 'dist', 'loader.mjs'), file];
  const run = async (example: string): Promise<string> => {
    await writeFile(file, here(example));
    return (await promisify(execFile)(process.execPath, args, { cwd: root })).stdout;
  };

  it('gives the same examples in both languages', () => {
    for (const language of ['ts', 'python', 'html'])
      expect(blocksOf(korean, language)).toEqual(blocksOf(english, language));
  });

  it('streams', async () => {
    const printed = await run(live!);
    expect(printed).toMatch(/\nreceived \d+ ms\n$/);
    const texts = printed.split('\n').slice(0, -2).join(' ');
    expect(errorRate(texts, SAID)).toBeLessThanOrEqual(0.1);
  });

  it('sends a recording', async () => {
    const printed = await run(recording!);
    expect(errorRate(printed.split('\n')[0]!, SAID)).toBeLessThanOrEqual(0.1);
    expect(printed).toMatch(/^00:00:0\d,\d{3} --> 00:00:\d\d,\d{3}$/m);
  });

  it('follows everything from where it was', async () => {
    const client = new Earshot({ url: gateway.url });
    const made = async () => {
      const clip = new Blob([readFileSync(fixture('austen-0880.wav'))]);
      return (await client.transcribe(clip, { language: 'en' })).id;
    };
    await writeFile(file, here(feed!));
    /** Follows until a session's text is printed, and gives the sessions of which something was. */
    const follow = async (until: string): Promise<string[]> => {
      const child: ChildProcess = spawn(process.execPath, args, {
        cwd: folder.path,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const closed = once(child, 'close');
      const ids: string[] = [];
      for await (const line of createInterface({ input: child.stdout! })) {
        ids.push(line.split(' ')[0]!);
        if (ids.at(-1) === until) break;
      }
      child.kill('SIGKILL');
      await closed;
      return ids;
    };
    const first = await made();
    expect((await follow(first)).at(-1)).toBe(first);
    expect(existsSync(join(folder.path, 'cursor'))).toBe(true);
    const second = await made();
    const after = await follow(second);
    expect(after.at(-1)).toBe(second);
    // What was told when it was stopped may be told again, and nothing before it.
    expect([first, second]).toEqual(expect.arrayContaining(after));
  });

  it.skipIf(isWithoutChromium)('listens to the microphone and shows the words', async () => {
    const browser = await chromium.launch({
      executablePath: chromiumPath,
      args: [
        '--no-sandbox',
        '--use-fake-device-for-media-stream',
        '--use-fake-ui-for-media-stream',
        `--use-file-for-fake-audio-capture=${fixture('austen-0880.wav')}%noloop`,
      ],
    });
    try {
      const page = await browser.newPage({ permissions: ['microphone'] });
      await page.goto(origin);
      await page.click('button');
      const shown = async () => errorRate((await page.locator('p').textContent()) ?? '', SAID);
      await expect.poll(shown, { timeout: 60_000, interval: 250 }).toBeLessThanOrEqual(0.15);
    } finally {
      await browser.close();
    }
  });
});
