/** What the READMEs say is run as it is printed, against a gateway of the test's own. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VARIABLES } from '../../src/config.ts';
import { chromiumPath, isWithoutChromium } from '../support/chromium.ts';
import { type RunningGateway, startGateway } from '../support/gateway.ts';
import { errorRate, fixture, TRANSCRIPTS } from '../support/speech.ts';
import { blocksOf, marked } from './examples.ts';

const root = join(import.meta.dirname, '..', '..');
const read = (name: string): string => readFileSync(join(root, name), 'utf8');
const english = read('README.md');
const korean = read('README.ko.md');

const SAID_0880 = TRANSCRIPTS['austen-0880.wav']!.text;
const SAID_0920 = TRANSCRIPTS['austen-0920.wav']!.text;

const SECRET = `whsec_${Buffer.alloc(32, 3).toString('base64')}`;

describe('the READMEs', () => {
  let gateway: RunningGateway;
  let site: Server;
  let origin: string;
  beforeAll(async () => {
    site = createServer((_, response) => {
      response.setHeader('content-type', 'text/html; charset=utf-8');
      response.end(here(blocksOf(english, 'html')[0]!));
    }).listen(0, '127.0.0.1');
    await once(site, 'listening');
    origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
    gateway = await startGateway({
      env: { STT_WORKERS: '1', ALLOWED_ORIGINS: origin, WEBHOOK_SECRET: SECRET },
    });
  });
  afterAll(async () => {
    site.close();
    await gateway.stop();
  });

  /** The gateway of the examples is the one of this test. */
  const here = (text: string): string => text.replaceAll('http://127.0.0.1:8080', gateway.url);
  const run = async (command: string, args: string[], env = {}) =>
    (
      await promisify(execFile)(command, args, {
        cwd: root,
        env: { ...process.env, EARSHOT_URL: gateway.url, ...env },
      })
    ).stdout;
  const sh = (text: string, env = {}) => run('bash', ['-euc', here(text)], env);

  it('give the same examples in both languages', () => {
    for (const language of ['sh', 'html', 'ts', 'python'])
      expect(blocksOf(korean, language)).toEqual(blocksOf(english, language));
  });

  it('list every variable with its default and meaning', () => {
    const rows = VARIABLES.map(
      ({ name, fallback, meaning }) => `| \`${name}\` | ${fallback && `\`${fallback}\``} | ${meaning} |\n`,
    );
    expect(marked(english, 'variables')).toBe(
      `\n| variable | default | |\n|---|---|---|\n${rows.join('')}\n`,
    );
    const names = [...marked(korean, 'variables').matchAll(/^\| `(\w+)` \| (.*?) \| /gm)].map(
      ([, name, fallback]) => [name, fallback],
    );
    expect(names).toEqual(VARIABLES.map(({ name, fallback }) => [name, fallback && `\`${fallback}\``]));
  });

  it('name scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    for (const text of [english, korean])
      for (const [, name] of text.matchAll(/npm (?:run )?(start|test|[a-z]+(?::[a-z]+)?) ?(?:--|$)/gm))
        expect(scripts).toHaveProperty([name!]);
  });

  it('send a recording with curl and follow it', async () => {
    const [upload, followIt] = blocksOf(english, 'sh').filter((block) => block.includes('curl'));
    const { id, state } = JSON.parse(await sh(upload!)) as { id: string; state: string };
    expect(state).toBe('PENDING');
    const printed = await sh(followIt!, { ID: id });
    expect(printed).toMatch(/^event: session\.done$/m);
    expect(printed).toMatch(/^00:00:0\d,\d{3} --> 00:00:0\d,\d{3}$/m);
  });

  it('ask for a callback, once however often it is sent', async () => {
    const block = blocksOf(english, 'sh').find((text) => text.includes('Idempotency-Key'))!;
    const [first, second] = [await sh(block), await sh(block)].map((text) => JSON.parse(text));
    expect(first).toMatchObject({ state: 'PENDING', webhook: { state: 'pending', attempts: 0 } });
    expect(second.id).toBe(first.id);
  });

  /** Runs an example of TypeScript as a file of its own. */
  const runTs = async (example: string, name: string): Promise<string> => {
    const file = join(root, 'test', 'docs', `${name}-${process.pid}.ts`);
    await writeFile(file, here(example));
    return await run(process.execPath, ['--import', 'tsx', file]).finally(() => rm(file));
  };

  it('stream from TypeScript', async () => {
    const printed = await runTs(blocksOf(english, 'ts')[0]!, 'stream');
    expect(errorRate(printed.split('\n')[0]!, SAID_0920)).toBeLessThanOrEqual(0.1);
    expect(printed).toMatch(/received 60\d\d ms/);
    expect(printed.split('\n').length).toBeGreaterThan(3);
  });

  it('transcribe with the SDKs of OpenAI and Deepgram', async () => {
    const printed = await runTs(blocksOf(english, 'ts')[1]!, 'sdks');
    const [byOpenAi, ...byDeepgram] = printed.split('\n');
    expect(errorRate(byOpenAi!, SAID_0920)).toBeLessThanOrEqual(0.1);
    expect(byDeepgram.join('\n')).toMatch(/results:/);
  });

  it('poll from Python', async () => {
    const [example] = blocksOf(english, 'python');
    expect(errorRate(await run('python3', ['-c', here(example!)]), SAID_0880)).toBeLessThanOrEqual(0.1);
  });

  it('transcribe on the command line', async () => {
    const printed = await run(process.execPath, ['dist/cli/transcribe.js', 'test/fixtures/austen-0880.wav']);
    expect(errorRate(printed, SAID_0880)).toBeLessThanOrEqual(0.1);
  });

  describe.skipIf(isWithoutChromium)('in a browser', () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await chromium.launch({
        executablePath: chromiumPath,
        args: [
          '--no-sandbox',
          '--use-fake-device-for-media-stream',
          '--use-fake-ui-for-media-stream',
          `--use-file-for-fake-audio-capture=${fixture('austen-0880.wav')}%noloop`,
        ],
      });
    });
    afterAll(() => browser.close());

    it('listen to the microphone and show the words', async () => {
      const page = await browser.newPage({ permissions: ['microphone'] });
      await page.goto(origin);
      await page.click('button');
      const words = page.locator('p');
      await expect
        .poll(async () => errorRate((await words.textContent()) ?? '', SAID_0880), {
          timeout: 60_000,
          interval: 250,
        })
        .toBeLessThanOrEqual(0.15);
      await page.close();
    });
  });
});
