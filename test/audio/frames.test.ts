import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DecodeParts, decodeFile, decodeInput } from '../../src/audio/frames.ts';
import { COMMIT, type DecodedInput, type EncodedInput } from '../../src/audio/input.ts';
import type { AudioEncoding, AudioFormat } from '../../src/domain/options.ts';
import { systemClock } from '../../src/flow/clock.ts';
import { collect, concat, fixture, pieces, readWav, same, tone } from '../support/audio.ts';
import { simpleBlock, TINY_OPUS_PACKET, webmHead } from '../support/containers.ts';
import { correlate } from '../support/correlation.ts';

const parts: DecodeParts = { clock: systemClock, ffmpeg: null };
const CONTAINER: AudioFormat = { encoding: 'container', sampleRateHz: 16_000, channels: 1 };
const raw = (encoding: AudioEncoding, sampleRateHz = 16_000, channels = 1): AudioFormat => ({
  encoding,
  sampleRateHz,
  channels,
});
const original = readWav('austen-0880.wav');
const pcm = readFileSync(fixture('austen-0880.wav')).subarray(44);

async function* from(items: Iterable<EncodedInput>): AsyncGenerator<EncodedInput> {
  yield* items;
}
const decode = (items: Iterable<EncodedInput>, format: AudioFormat, by = parts) =>
  collect(decodeInput(from(items), format, by));
const sound = (items: readonly DecodedInput[]) =>
  concat(items.filter((item): item is Float32Array => typeof item !== 'string'));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'earshot-frames-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function stored(bytes: Uint8Array): Promise<string> {
  const path = join(folder, `${Math.random()}`);
  await writeFile(path, bytes);
  return path;
}

describe('raw audio', () => {
  it('at 16 kHz comes out as it is, in any split', async () => {
    for (const size of [1, 333, 100_000])
      expect(
        same(
          sound(await decode(pieces(pcm.subarray(0, 5_001), size), raw('pcm_s16le'))),
          original.subarray(0, 2_500),
        ),
      ).toBe(true);
  });

  it('keeps commits in their place', async () => {
    const items = await decode(
      [pcm.subarray(0, 2_000), COMMIT, COMMIT, pcm.subarray(2_000, 3_000)],
      raw('pcm_s16le'),
    );
    expect(items.map((item) => (item === COMMIT ? item : item.length))).toEqual([1_000, COMMIT, COMMIT, 500]);
  });

  it.each<[AudioEncoding, number, number]>([
    ['pcm_f32le', 48_000, 2],
    ['pcm_f32le', 44_100, 1],
    ['pcm_s16le', 8_000, 1],
    ['pcm_s16le', 192_000, 8],
    ['mulaw', 8_000, 1],
    ['alaw', 4_000, 3],
  ])('as %s at %i Hz with %i channels has its length to the sample', async (encoding, rateHz, channels) => {
    const samples = Math.round(rateHz * 0.377);
    const bytesPerSample = { pcm_s16le: 2, pcm_f32le: 4, mulaw: 1, alaw: 1, container: 0 }[encoding];
    const bytes = new Uint8Array(samples * channels * bytesPerSample + (bytesPerSample * channels - 1));
    const items = await decode(pieces(bytes, 1_001), raw(encoding, rateHz, channels));
    expect(sound(items)).toHaveLength(Math.round((samples * 16_000) / rateHz));
  });

  it('comes in chunks of half a second however much is sent at once', async () => {
    const items = await decode([new Uint8Array(65_536)], raw('mulaw', 8_000));
    for (const item of items) expect(item.length).toBeLessThanOrEqual(8_000);
  });

  it('at 48 kHz is the same tone at 16 kHz', async () => {
    const bytes = Buffer.from(tone(440, 1, 48_000).buffer);
    const { correlation, shift } = correlate(
      tone(440, 1),
      sound(await decode(pieces(bytes, 960), raw('pcm_f32le', 48_000))),
    );
    expect(correlation).toBeGreaterThan(0.999);
    expect(Math.abs(shift % 36)).toBeLessThanOrEqual(1);
  });

  it('may be nothing', async () => {
    expect(await decode([], raw('pcm_s16le', 44_100))).toEqual([]);
  });
});

describe('a container', () => {
  it.each([
    ['austen-0880.wav', 0.9999, 0],
    ['containers/speech.webm', 0.95, 0],
    ['containers/speech.ogg', 0.95, 0],
    ['containers/speech.mp3', 0.95, 160],
    ['containers/speech.flac', 0.9999, 0],
  ])('%s sounds and lasts like the original, live and from a file', async (name, likeness, tolerance) => {
    const bytes = readFileSync(fixture(name));
    const live = sound(await decode(pieces(bytes, 700), CONTAINER));
    const { correlation, shift } = correlate(original, live);
    expect(correlation).toBeGreaterThan(likeness);
    expect(Math.abs(shift)).toBeLessThanOrEqual(tolerance);
    expect(Math.abs(live.length - original.length)).toBeLessThanOrEqual(tolerance);
    expect(same(concat(await collect(decodeFile(fixture(name), CONTAINER, parts))), live)).toBe(true);
  });

  it('recorded by Chromium sounds like what was played to it', async () => {
    const live = sound(
      await decode(pieces(readFileSync(fixture('containers/chromium.webm')), 333), CONTAINER),
    );
    expect(correlate(original, live).correlation).toBeGreaterThan(0.9);
    expect(live.length).toBeGreaterThan(original.length);
  });

  it('keeps commits behind all that was sent before', async () => {
    const bytes = readFileSync(fixture('austen-0880.wav'));
    const items = await decode(
      [bytes.subarray(0, 44 + 20_000), COMMIT, bytes.subarray(44 + 20_000)],
      CONTAINER,
    );
    expect(sound(items.slice(0, items.indexOf(COMMIT)))).toHaveLength(10_000);
  });

  it('may be nothing where it is live', async () => {
    expect(await decode([], CONTAINER)).toEqual([]);
    expect(await decode([COMMIT, new Uint8Array(0)], CONTAINER)).toEqual([COMMIT]);
  });

  it('is refused where it is no audio', async () => {
    await expect(decode([Buffer.from('Hello, this is a transcript.')], CONTAINER)).rejects.toMatchObject({
      code: 'audio_undecodable',
    });
    await expect(decode([Buffer.from('Og')], CONTAINER)).rejects.toMatchObject({ code: 'audio_undecodable' });
  });
});

describe('a recording', () => {
  it('may be raw', async () => {
    expect(
      same(concat(await collect(decodeFile(await stored(pcm), raw('pcm_s16le'), parts))), original),
    ).toBe(true);
  });

  it.each<[string, Uint8Array, AudioFormat]>([
    ['no bytes', new Uint8Array(0), CONTAINER],
    ['no raw bytes', new Uint8Array(0), raw('pcm_s16le')],
    ['half a sample', new Uint8Array(1), raw('pcm_s16le')],
    ['a WAV header alone', readFileSync(fixture('austen-0880.wav')).subarray(0, 44), CONTAINER],
    ['a WebM header alone', webmHead(), CONTAINER],
  ])('of %s is empty', async (_, bytes, format) => {
    await expect(collect(decodeFile(await stored(bytes), format, parts))).rejects.toMatchObject({
      code: 'audio_empty',
    });
  });

  it('that does not exist is no fault of the audio', async () => {
    await expect(collect(decodeFile(join(folder, 'none'), CONTAINER, parts))).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });
});

describe('the longest audio allowed', () => {
  const limited = { ...parts, maxDurationMs: 2_000 };
  const tooLong = { code: 'audio_too_long' };

  it('ends what is longer, raw or not, live or not', async () => {
    await expect(decode(pieces(pcm, 3_200), raw('pcm_s16le'), limited)).rejects.toMatchObject(tooLong);
    for (const name of ['austen-0880.wav', 'containers/speech.ogg']) {
      await expect(decode([readFileSync(fixture(name))], CONTAINER, limited)).rejects.toMatchObject(tooLong);
      await expect(collect(decodeFile(fixture(name), CONTAINER, limited))).rejects.toMatchObject(tooLong);
    }
  });

  it('leaves alone what is not', async () => {
    expect(sound(await decode([pcm.subarray(0, 64_000)], raw('pcm_s16le'), limited))).toHaveLength(32_000);
  });

  it('stops a small file that stands for days', async () => {
    const block = simpleBlock(
      Buffer.concat([Buffer.of(255), Buffer.concat(Array(256).fill(TINY_OPUS_PACKET))]),
      0x04,
    );
    const bomb = await stored(Buffer.concat([webmHead(), ...Array(20_000).fill(block)]));
    const before = process.memoryUsage().rss;
    let decodedSamples = 0;
    const bombed = async () => {
      for await (const audio of decodeFile(bomb, CONTAINER, { ...parts, maxDurationMs: 600_000 }))
        decodedSamples += audio.length;
    };
    await expect(bombed()).rejects.toMatchObject(tooLong);
    expect(decodedSamples).toBeGreaterThan(590 * 16_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(200e6);
  });
});

describe('aborting', () => {
  it.each<[string, AudioFormat]>([
    ['raw audio', raw('pcm_s16le')],
    ['a container', CONTAINER],
  ])('ends %s with the reason, also while nothing comes', async (_, format) => {
    const abort = new AbortController();
    async function* stalling(): AsyncGenerator<EncodedInput> {
      yield readFileSync(fixture('austen-0880.wav'));
      await new Promise(() => {});
    }
    const reading = collect(decodeInput(stalling(), format, parts, abort.signal));
    setTimeout(() => abort.abort(new Error('enough')), 300);
    await expect(reading).rejects.toThrow('enough');
  });

  it('ends a recording with the reason', async () => {
    const abort = new AbortController();
    const decoding = decodeFile(fixture('containers/speech.flac'), CONTAINER, parts, abort.signal);
    await decoding.next();
    abort.abort(new Error('enough'));
    await expect(collect(decoding)).rejects.toThrow('enough');
  });
});

describe('pressure', () => {
  it('reads on only when asked for more', async () => {
    let taken = 0;
    async function* counting(): AsyncGenerator<EncodedInput> {
      for (; ; taken++) yield pcm.subarray(0, 3_200);
    }
    const decoding = decodeInput(counting(), raw('pcm_s16le'), parts);
    for (let i = 0; i < 3; i++) await decoding.next();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(taken).toBeLessThanOrEqual(3);
    await decoding.return();
  });
});
