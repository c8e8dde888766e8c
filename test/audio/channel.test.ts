/** One channel out of several, in every form that audio comes in. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordingChannels } from '../../src/audio/channel-count.ts';
import { findFfmpeg } from '../../src/audio/find-ffmpeg.ts';
import { decodeFile, decodeInput } from '../../src/audio/frames.ts';
import type { AudioEncoding, AudioFormat } from '../../src/domain/options.ts';
import { systemClock } from '../../src/flow/clock.ts';
import { collect, concat, fixture, tone } from '../support/audio.ts';
import { wav } from '../support/containers.ts';

const LEFT = tone(440, 1);
const RIGHT = tone(1000, 1, undefined, 0.25);
const ffmpeg = await findFfmpeg(process.env.PATH ?? '');
const parts = { clock: systemClock, ffmpeg };

/** As 16-bit PCM, interleaved. */
function stereo(left: Float32Array, right: Float32Array): Buffer {
  const bytes = Buffer.alloc(4 * left.length);
  for (let at = 0; at < left.length; at++) {
    bytes.writeInt16LE(Math.round(left[at]! * 32_767), 4 * at);
    bytes.writeInt16LE(Math.round(right[at]! * 32_767), 4 * at + 2);
  }
  return bytes;
}

/** How much of a sound is like another: 1 for the same, whatever its level and a small delay. */
function likeness(heard: Float32Array, expected: Float32Array): number {
  const power = (a: Float32Array, b: Float32Array, delay: number): number => {
    let sum = 0;
    for (let at = 2000; at < 12_000; at++) sum += a[at + delay]! * b[at]!;
    return sum;
  };
  let best = 0;
  for (let delay = 0; delay < 64; delay++) {
    const shared = power(heard, expected, delay);
    const own = Math.sqrt(
      power(heard.subarray(delay), heard.subarray(delay), 0) * power(expected, expected, 0),
    );
    best = Math.max(best, shared / own);
  }
  return best;
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'earshot-channel-'));
});
afterAll(() => rm(folder, { recursive: true }));

const container = (channel: number | null): AudioFormat => ({
  encoding: 'container',
  sampleRateHz: 16_000,
  channels: 1,
  channel,
});

async function written(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

async function encoded(name: string, options: readonly string[], pcm = stereo(LEFT, RIGHT)): Promise<string> {
  const path = join(folder, name);
  const source = await written(`${name}.wav`, wav({ channels: 2, rateHz: 16_000, data: pcm }));
  execFileSync(ffmpeg!.command, ['-v', 'error', '-y', '-i', source, ...options, path]);
  return path;
}

const heard = async (path: string, format: AudioFormat) =>
  concat(await collect(decodeFile(path, format, parts)));

describe('raw audio', () => {
  const raw = (channel: number | null, encoding: AudioEncoding = 'pcm_s16le'): AudioFormat => ({
    encoding,
    sampleRateHz: 16_000,
    channels: 2,
    channel,
  });
  const stream = async (bytes: Buffer, format: AudioFormat): Promise<Float32Array> => {
    async function* torn() {
      for (let at = 0; at < bytes.length; at += 1237) yield bytes.subarray(at, at + 1237);
    }
    return concat((await collect(decodeInput(torn(), format, parts))) as Float32Array[]);
  };

  it('gives the channel asked for, sample by sample, in any split', async () => {
    const bytes = stereo(LEFT, RIGHT);
    const near = (samples: Float32Array, expected: Float32Array) =>
      samples.length === expected.length &&
      samples.every((sample, at) => Math.abs(sample - expected[at]!) < 1e-4);
    expect(near(await stream(bytes, raw(0)), LEFT)).toBe(true);
    expect(near(await stream(bytes, raw(1)), RIGHT)).toBe(true);
    const mixed = LEFT.map((sample, at) => (sample + RIGHT[at]!) / 2);
    expect(near(await stream(bytes, raw(null)), mixed)).toBe(true);
  });

  it('mixes where nothing is said, as sessions of earlier versions do', async () => {
    const { channel: _, ...format } = raw(null);
    expect((await stream(stereo(LEFT, RIGHT), format)).length).toBe(LEFT.length);
  });

  it('has as many channels as it is said to have', async () => {
    expect(await recordingChannels('/nowhere', raw(null))).toBe(2);
  });
});

describe('a WAV', () => {
  it('gives the channel asked for, and knows how many it has', async () => {
    const path = await written('two.wav', wav({ channels: 2, rateHz: 16_000, data: stereo(LEFT, RIGHT) }));
    expect(likeness(await heard(path, container(0)), LEFT)).toBeGreaterThan(0.999);
    expect(likeness(await heard(path, container(1)), RIGHT)).toBeGreaterThan(0.999);
    expect(await recordingChannels(path, container(null))).toBe(2);
  });

  it('fails where there is no such channel', async () => {
    const failure = { code: 'audio_undecodable', message: expect.stringContaining('no channel 1') };
    await expect(heard(fixture('austen-0880.wav'), container(1))).rejects.toMatchObject(failure);
    expect(await recordingChannels(fixture('austen-0880.wav'), container(null))).toBe(1);
  });
});

describe.runIf(ffmpeg)('two channels in a container', () => {
  const FLAC = ['-c:a', 'flac', '-ch_mode'];
  it.each<[string, readonly string[], number | null]>([
    ['indep.flac', [...FLAC, 'indep'], 2],
    ['left-side.flac', [...FLAC, 'left_side'], 2],
    ['right-side.flac', [...FLAC, 'right_side'], 2],
    ['mid-side.flac', [...FLAC, 'mid_side'], 2],
    ['two.ogg', ['-c:a', 'libopus', '-b:a', '128k'], 2],
    ['two.webm', ['-c:a', 'libopus', '-b:a', '128k'], 2],
    ['two.mp3', ['-c:a', 'libmp3lame', '-b:a', '128k'], 2],
    ['two.m4a', ['-c:a', 'aac', '-b:a', '128k'], null],
    ['vorbis.mka', ['-c:a', 'flac'], null],
  ])('%s', async (name, options, count) => {
    const path = await encoded(name, options);
    const sounds = [await heard(path, container(0)), await heard(path, container(1))];
    // An encoder's delay differs from one to the next: what counts is that each holds its own tone and not the other's.
    for (const [channel, expected] of [LEFT, RIGHT].entries()) {
      expect(strength(sounds[channel]!, channel === 0 ? 440 : 1000)).toBeGreaterThan(0.9);
      expect(strength(sounds[channel]!, channel === 0 ? 1000 : 440)).toBeLessThan(0.1);
      expect(Math.abs(sounds[channel]!.length - expected.length)).toBeLessThan(2500);
    }
    expect(await recordingChannels(path, container(null))).toBe(count);
  });

  it('are not there in a file that has one', async () => {
    for (const name of ['speech.flac', 'speech.ogg', 'speech.webm', 'speech.m4a'])
      await expect(heard(fixture(`containers/${name}`), container(1))).rejects.toMatchObject({
        code: 'audio_undecodable',
      });
  });

  it.each([
    ['speech.flac', 1],
    ['speech.ogg', 1],
    ['speech.webm', 1],
    ['speech.mp3', 1],
    ['speech.m4a', null],
  ])('are counted: %s', async (name, count) => {
    expect(await recordingChannels(fixture(`containers/${name}`), container(null))).toBe(count);
  });
});

/** How much of a sound is a tone of that pitch: 0–1. */
function strength(sound: Float32Array, hz: number): number {
  let [sine, cosine, power] = [0, 0, 0];
  for (let at = 2000; at < 14_000; at++) {
    const sample = sound[at]!;
    const phase = (2 * Math.PI * hz * at) / 16_000;
    sine += sample * Math.sin(phase);
    cosine += sample * Math.cos(phase);
    power += sample * sample;
  }
  return (2 * (sine ** 2 + cosine ** 2)) / (12_000 * power);
}

describe('what is no recording', () => {
  it('has no channels that are known', async () => {
    const path = await written('text', Buffer.from('neither audio nor a header'));
    expect(await recordingChannels(path, container(null))).toBeNull();
    expect(
      await recordingChannels(await written('cut.flac', Buffer.from('fLaC')), container(null)),
    ).toBeNull();
  });
});
