import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeFile } from '../../src/audio/frames.ts';
import { recordingLengthMs } from '../../src/audio/length.ts';
import type { AudioFormat } from '../../src/domain/options.ts';
import { systemClock } from '../../src/flow/clock.ts';
import { fixture, pcmOf } from '../support/speech.ts';

const CONTAINER: AudioFormat = { encoding: 'container', sampleRateHz: 16_000, channels: 1 };

describe('the length of a recording', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'earshot-length-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each(['austen-0880.wav', 'containers/speech.flac', 'containers/speech.ogg'])(
    'is told of %s as it will be decoded',
    async (name) => {
      let samples = 0;
      for await (const audio of decodeFile(fixture(name), CONTAINER, { clock: systemClock, ffmpeg: null }))
        samples += audio.length;
      const length = await recordingLengthMs(fixture(name), CONTAINER);
      expect(Math.abs(length! - samples / 16)).toBeLessThanOrEqual(20);
    },
  );

  it('is told of raw audio by its size', async () => {
    const path = join(folder, 'raw');
    await writeFile(path, new Uint8Array(8000 * 2 * 2 + 1));
    expect(await recordingLengthMs(path, { encoding: 'pcm_s16le', sampleRateHz: 8000, channels: 2 })).toBe(
      1000,
    );
  });

  it('is that of the file where a WAV header promises more', async () => {
    const path = join(folder, 'endless.wav');
    const header = Buffer.from(
      '524946460000000057415645666d74201000000001000100803e0000007d00000200100064617461ffffffff',
      'hex',
    );
    const sound = pcmOf('austen-0880.wav');
    await writeFile(path, Buffer.concat([header, sound]));
    expect(await recordingLengthMs(path, CONTAINER)).toBe(Math.round(sound.length / 32));
  });

  it.each([
    ['an MP3, which does not say', 'containers/speech.mp3'],
    ['an MP4, whose index may be anywhere', 'containers/speech.m4a'],
  ])('is not told of %s', async (_, name) => {
    expect(await recordingLengthMs(fixture(name), CONTAINER)).toBeNull();
  });

  it.each([
    ['no header', 'fLaC'],
    ['half a header', 'RIFF    WAVEfmt '],
    ['nothing', ''],
    ['a length beyond belief', `OggS${'\0'.repeat(24)}OpusHead${'\0'.repeat(11)}OggS..${'\x7f'.repeat(8)}`],
    ['a page without sound', `OggS${'\0'.repeat(40)}`],
  ])('is not told of a file with %s', async (what, content) => {
    const path = join(folder, what);
    await writeFile(path, content);
    expect(await recordingLengthMs(path, CONTAINER)).toBeNull();
  });
});
