import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FfmpegDecoder } from '../../src/audio/ffmpeg.ts';
import { findFfmpeg } from '../../src/audio/find-ffmpeg.ts';
import { type DecodeParts, decodeFile, decodeInput } from '../../src/audio/frames.ts';
import type { EncodedInput } from '../../src/audio/input.ts';
import type { AudioFormat } from '../../src/domain/options.ts';
import { systemClock } from '../../src/flow/clock.ts';
import { collect, concat, fixture, pieces, readWav } from '../support/audio.ts';
import { correlate } from '../support/correlation.ts';
import { FakeClock } from '../support/fake-clock.ts';

const CONTAINER: AudioFormat = { encoding: 'container', sampleRateHz: 16_000, channels: 1 };
const ffmpeg = await findFfmpeg(process.env.PATH ?? '');
const m4a = fixture('containers/speech.m4a');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'earshot-ffmpeg-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function* from(items: Iterable<EncodedInput>): AsyncGenerator<EncodedInput> {
  yield* items;
}

async function decode(items: Iterable<Uint8Array>, parts: DecodeParts): Promise<Float32Array> {
  const chunks = await collect(decodeInput(from(items), CONTAINER, parts));
  return concat(chunks as Float32Array[]);
}

/** A program in ffmpeg's place. */
async function pretend(script: string): Promise<{ command: string }> {
  const command = join(folder, `ffmpeg-${Math.random()}`);
  await writeFile(command, `#!/bin/sh\n${script}\n`);
  await chmod(command, 0o755);
  return { command };
}

describe.each([
  ['that was not found', null],
  ['that is gone since', { command: '/nowhere/ffmpeg' }],
])('an ffmpeg %s', (_, missing) => {
  it('is named where it is needed', async () => {
    const parts = { clock: systemClock, ffmpeg: missing };
    const failure = { code: 'audio_undecodable', message: expect.stringContaining('(mov) needs ffmpeg') };
    await expect(collect(decodeFile(m4a, CONTAINER, parts))).rejects.toMatchObject(failure);
    await expect(decode([readFileSync(m4a)], parts)).rejects.toMatchObject(failure);
  });
});

describe('a program in place of ffmpeg', () => {
  const open = async (script: string, clock = systemClock as FakeClock | typeof systemClock) =>
    new FfmpegDecoder(await pretend(script), { kind: 'bytes' }, 'mov', clock);
  const all = async (decoder: FfmpegDecoder, bytes: Uint8Array) => [
    ...(await collect(decoder.decode(bytes))),
    ...(await collect(decoder.decode(null))),
  ];

  it('sees none of our environment and only the pipe', async () => {
    const seen = join(folder, 'seen');
    const decoder = await open(`{ env; echo "$@"; } > ${seen}`);
    await all(decoder, Buffer.alloc(10));
    const text = await readFile(seen, 'utf8');
    expect(text).toContain('-protocol_whitelist pipe -f mov');
    expect(text).not.toContain('HOME=');
  });

  it('fails the stream where it fails, and what it says stays with us', async () => {
    const decoder = await open('echo "secret: /srv/file" >&2; exit 1');
    await expect(all(decoder, Buffer.alloc(10))).rejects.toMatchObject({
      code: 'audio_undecodable',
      message: expect.not.stringContaining('secret'),
      cause: expect.stringContaining('secret'),
    });
  });

  it('is ended where it neither reads nor writes', async () => {
    const clock = new FakeClock();
    const decoder = await open('exec sleep 1000', clock);
    const decoding = all(decoder, Buffer.alloc(1_000_000));
    const ended = expect(decoding).rejects.toMatchObject({ message: 'Decoding the audio took too long.' });
    while (clock.waiting === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await clock.advance(60_000);
    await ended;
  });

  it('may write more than it reads without anybody waiting for ever', async () => {
    const decoder = await open('head -c 3000000 /dev/zero; cat > /dev/null');
    const chunks = await all(decoder, Buffer.alloc(1_000_000));
    expect(concat(chunks)).toHaveLength(1_500_000);
    for (const chunk of chunks) expect(chunk.length).toBeLessThanOrEqual(16_000);
  });

  it('may end before its input does, or be closed when it has', async () => {
    const decoder = await open('head -c 1000 /dev/zero');
    const chunks = await all(decoder, Buffer.alloc(1_000_000));
    expect(concat(chunks)).toHaveLength(500);
    expect(await collect(decoder.decode(Buffer.alloc(100)))).toEqual([]);
    await decoder.close();
  });

  it('can be closed when it has ended with nobody reading what it wrote', async () => {
    const ended = join(folder, 'ended');
    const decoder = await open(`head -c 1000 /dev/zero; echo > ${ended}`);
    while (!(await readFile(ended, 'utf8').catch(() => '')))
      await new Promise((resolve) => setTimeout(resolve, 5));
    await decoder.close();
    await decoder.close();
  });

  it('is killed when its stream is aborted', async () => {
    const pidFile = join(folder, 'pid');
    const parts = { clock: systemClock, ffmpeg: await pretend(`echo $$ > ${pidFile}; exec sleep 1000`) };
    const abort = new AbortController();
    const reading = collect(decodeFile(m4a, CONTAINER, parts, abort.signal));
    const ended = expect(reading).rejects.toThrow('enough');
    let pid = 0;
    while (!pid) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      pid = Number(await readFile(pidFile, 'utf8').catch(() => '0'));
    }
    abort.abort(new Error('enough'));
    await ended;
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });
});

describe.runIf(ffmpeg)('ffmpeg', () => {
  const original = readWav('austen-0880.wav');
  const parts: DecodeParts = { clock: systemClock, ffmpeg };

  /** The fixture in another form. */
  function convert(name: string, ...options: string[]): string {
    const path = join(folder, name);
    execFileSync(ffmpeg!.command, ['-v', 'error', '-y', '-i', fixture('austen-0880.wav'), ...options, path]);
    return path;
  }

  it.each<[string, string[], number]>([
    ['m4a', [], 1_100],
    ['mp4', ['-movflags', 'frag_keyframe+empty_moov'], 1_400],
    ['aac', [], 1_400],
    ['aiff', [], 0],
    ['caf', [], 0],
    ['mka', ['-c:a', 'flac'], 0],
    ['wav', ['-c:a', 'adpcm_ms'], 1_024],
    ['ts', ['-c:a', 'mp2'], 2_400],
  ])(
    'decodes %s from a file, and live where its index comes first',
    async (extension, options, tolerance) => {
      const path = convert(`speech.${extension}`, ...options);
      const stored = concat(await collect(decodeFile(path, CONTAINER, parts)));
      expect(correlate(original, stored, 2_400).correlation).toBeGreaterThan(0.95);
      expect(Math.abs(stored.length - original.length)).toBeLessThanOrEqual(tolerance);
      if (extension === 'm4a') return;
      const live = await decode(pieces(await readFile(path), 1_000), parts);
      expect(correlate(original, live, 2_400).correlation).toBeGreaterThan(0.95);
      expect(Math.abs(live.length - original.length)).toBeLessThanOrEqual(tolerance);
    },
  );

  it('gives sound while more is still to come', async () => {
    const path = convert('live.mp4', '-movflags', 'frag_keyframe+empty_moov', '-frag_duration', '100000');
    const bytes = await readFile(path);
    let heard = false;
    async function* waiting(): AsyncGenerator<EncodedInput> {
      yield bytes.subarray(0, bytes.length / 2);
      while (!heard) {
        await new Promise((resolve) => setTimeout(resolve, 10));
        yield new Uint8Array(0);
      }
      yield bytes.subarray(bytes.length / 2);
    }
    let length = 0;
    for await (const audio of decodeInput(waiting(), CONTAINER, parts)) {
      heard = true;
      length += audio.length;
    }
    expect(Math.abs(length - original.length)).toBeLessThanOrEqual(1_400);
  });

  it('is held to the longest audio allowed', async () => {
    const limited = { ...parts, maxDurationMs: 1_000 };
    await expect(collect(decodeFile(m4a, CONTAINER, limited))).rejects.toMatchObject({
      code: 'audio_too_long',
    });
  });

  it('is not shown files beside the one it is given', async () => {
    const playlist = join(folder, 'playlist.m4a');
    await writeFile(playlist, `#EXTM3U\n#EXTINF:9,\nfile://${m4a}\n`);
    await expect(collect(decodeFile(playlist, CONTAINER, parts))).rejects.toMatchObject({
      code: 'audio_undecodable',
    });
  });
});
