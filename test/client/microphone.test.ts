/** The microphone in a real browser, spoken from into a real gateway, as a page of anybody's would do it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Earshot } from '../../src/client/earshot.ts';
import type * as Client from '../../src/client/index.ts';
import { KnowingTranscriber } from '../faults/support/knowing-transcriber.ts';
import { launchBrowser, type TestBrowser } from '../page/browser.ts';
import { isWithoutChromium } from '../support/chromium.ts';
import { type RunningGateway, startGateway } from '../support/gateway.ts';

/** What the functions below keep in the page. */
interface InPage {
  earshot: typeof Client;
  contexts: AudioContext[];
  stream: Client.LiveStream;
  microphone: Client.Microphone;
  peak: number;
  stopped: string | null;
}

describe.skipIf(isWithoutChromium)('speaking into a stream from a page', () => {
  let transcriber: KnowingTranscriber;
  let gateway: RunningGateway;
  let browser: TestBrowser;
  let deaf: TestBrowser;
  beforeAll(async () => {
    transcriber = await KnowingTranscriber.start();
    [gateway, browser, deaf] = await Promise.all([
      startGateway({ env: transcriber.settings }),
      launchBrowser([200, 'austen-0880.wav', 60_000]),
      launchBrowser(),
    ]);
  });
  afterAll(async () => {
    await Promise.all([browser?.close(), deaf?.close(), gateway?.stop()]);
    await transcriber?.close();
  });

  /** A page that has imported the client from the gateway. */
  async function pageOf(of: TestBrowser) {
    const { page } = await of.open(gateway.url);
    await page.evaluate(`import('/client/index.js').then((client) => { globalThis.earshot = client; })`);
    return page;
  }

  /** A page that speaks into a session of its own, with every audio context it makes at hand. */
  async function speaking() {
    const page = await pageOf(browser);
    const sessionId = await page.evaluate(async () => {
      const here = globalThis as unknown as InPage;
      here.contexts = [];
      const Real = AudioContext;
      globalThis.AudioContext = class extends Real {
        constructor(options?: AudioContextOptions) {
          super(options);
          here.contexts.push(this);
        }
      };
      here.peak = 0;
      here.stopped = null;
      here.stream = await new here.earshot.Earshot({ url: location.origin }).stream();
      here.microphone = await here.earshot.speakInto(here.stream, {
        onLevel: ({ peak }) => {
          here.peak = Math.max(here.peak, peak);
        },
        onStopped: ({ code }) => {
          here.stopped = code;
        },
      });
      return here.stream.sessionId;
    });
    const receivedMs = () =>
      page.evaluate(() => {
        const { stream } = globalThis as unknown as InPage;
        return stream.acknowledged.receivedSamples / 16;
      });
    const hears = (atLeastMs: number) =>
      expect.poll(receivedMs, { timeout: 60_000 }).toBeGreaterThanOrEqual(atLeastMs);
    return { page, sessionId, receivedMs, hears };
  }

  it('sends what is heard until it is stopped, also after the sound was interrupted', async () => {
    const { page, receivedMs, hears } = await speaking();
    await hears(1_500);
    await page.evaluate(() => (globalThis as unknown as InPage).contexts[0]!.suspend());
    await hears((await receivedMs()) + 1_000);
    const [peak, receipt, state] = await page.evaluate(async () => {
      const here = globalThis as unknown as InPage;
      await here.microphone.stop();
      return [here.peak, await here.stream.end(), here.contexts[0]!.state] as const;
    });
    expect(peak).toBeGreaterThan(0.1);
    expect(peak).toBeLessThanOrEqual(1);
    expect(receipt.receivedMs).toBeGreaterThanOrEqual(2_500);
    expect(receipt.endedBy).toBe('client');
    expect(state).toBe('closed');
  });

  it('lets go of the microphone when the stream takes no more, and says why', async () => {
    const { page, sessionId, hears } = await speaking();
    await hears(500);
    await new Earshot({ url: gateway.url }).delete(sessionId);
    const stopped = () => page.evaluate(() => (globalThis as unknown as InPage).stopped);
    await expect.poll(stopped, { timeout: 60_000 }).toBe('session_ended');
    const state = () => page.evaluate(() => (globalThis as unknown as InPage).contexts[0]!.state);
    await expect.poll(state, { timeout: 60_000 }).toBe('closed');
  });

  it('says that it may not listen, and lets go of everything', async () => {
    const page = await pageOf(deaf);
    const problem = await page.evaluate(async () => {
      const { openMicrophone } = (globalThis as unknown as InPage).earshot;
      return await openMicrophone({ onAudio: () => {} }).then(
        () => 'opened',
        (error: Client.MicrophoneError) => `${error.name}: ${error.problem}`,
      );
    });
    expect(problem).toBe('MicrophoneError: denied');
  });

  it('says that its worklet is not where it was said to be', async () => {
    const page = await pageOf(browser);
    const problem = await page.evaluate(async () => {
      const { openMicrophone } = (globalThis as unknown as InPage).earshot;
      return await openMicrophone({ onAudio: () => {} }, '/nowhere.js').then(
        () => 'opened',
        (error: Client.MicrophoneError) => error.problem,
      );
    });
    expect(problem).toBe('not_loaded');
  });
});
