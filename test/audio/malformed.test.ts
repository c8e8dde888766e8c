import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openContainer } from '../../src/audio/containers/open.ts';
import { findFfmpeg } from '../../src/audio/find-ffmpeg.ts';
import { decodeFile, decodeInput } from '../../src/audio/frames.ts';
import type { OwnContainer } from '../../src/audio/sniff.ts';
import { Failure } from '../../src/domain/failure.ts';
import type { AudioFormat } from '../../src/domain/options.ts';
import { systemClock } from '../../src/flow/clock.ts';
import { fixture, pieces, seeded } from '../support/audio.ts';
import { element, oggPage, opusHead, riffChunk, simpleBlock, wav, webmHead } from '../support/containers.ts';

const ffmpeg = await findFfmpeg(process.env.PATH ?? '');
const parts = { clock: systemClock, ffmpeg, maxDurationMs: 60_000 };
const CONTAINER: AudioFormat = { encoding: 'container', sampleRateHz: 16_000, channels: 1 };
const file = (name: string) => readFileSync(fixture(`containers/${name}`));
const truncated = (name: string, share: number) =>
  file(name).subarray(0, Math.floor(file(name).length * share));
const nan = Buffer.from(new Float32Array(3_200).fill(Number.NaN).buffer);
const random = seeded(11);
const static_ = Buffer.from(Array.from({ length: 5_000 }, () => Math.floor(random() * 256)));
const speech = readFileSync(fixture('austen-0880.wav'));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'earshot-malformed-'));
  vi.spyOn(console, 'error').mockImplementation(() => {});
});
afterAll(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

/** Decodes and checks every sample; the length in samples, or the failure's code. */
async function outcome(audio: AsyncIterable<Float32Array | string>): Promise<number | string> {
  let length = 0;
  try {
    for await (const chunk of audio) {
      if (typeof chunk === 'string') continue;
      if (!chunk.every((x) => Math.abs(x) <= 1)) return 'samples out of range';
      length += chunk.length;
    }
    return length;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return error.code;
  }
}

type Expected = 'audio_undecodable' | 'audio_empty' | 'audio_too_long' | 'decodes' | 'either';

const FILES: readonly (readonly [name: string, bytes: Uint8Array, expected: Expected])[] = [
  ['no bytes', new Uint8Array(0), 'audio_empty'],
  ['one byte', Buffer.of(0x52), 'audio_undecodable'],
  ['eleven zeros', Buffer.alloc(11), 'audio_undecodable'],
  ['a megabyte of zeros', Buffer.alloc(1_000_000), 'audio_undecodable'],
  ['static', static_, 'audio_undecodable'],
  ['text', Buffer.from('What is said here is only written.'), 'audio_undecodable'],
  ['JSON', Buffer.from('{"audio":"UklGRg=="}'), 'audio_undecodable'],
  ['HTML', Buffer.from('<!doctype html><title>404</title>'), 'audio_undecodable'],
  ['an HLS playlist', Buffer.from('#EXTM3U\n#EXTINF:9,\nhttp://127.0.0.1/a.ts\n'), 'audio_undecodable'],
  ['a concat script', Buffer.from('ffconcat version 1.0\nfile /etc/hostname\n'), 'audio_undecodable'],
  ['a DASH manifest', Buffer.from('<?xml version="1.0"?><MPD/>'), 'audio_undecodable'],
  ['an SDP', Buffer.from('v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\n'), 'audio_undecodable'],
  ['a zip archive', Buffer.concat([Buffer.from('PK\x03\x04'), static_]), 'audio_undecodable'],
  ['a gzip file', Buffer.concat([Buffer.of(0x1f, 0x8b, 8, 0), static_]), 'audio_undecodable'],
  ['a PNG', Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), static_]), 'audio_undecodable'],
  ['an ELF program', Buffer.concat([Buffer.from('\x7fELF'), static_]), 'audio_undecodable'],
  ['a WAV of no samples', wav({ data: Buffer.alloc(0) }), 'audio_empty'],
  ['a WAV of one odd byte', wav({ data: Buffer.alloc(1) }), 'audio_empty'],
  ['a WAV of an odd number of bytes', wav({ data: Buffer.alloc(3_201) }), 'decodes'],
  ['a WAV header alone', speech.subarray(0, 44), 'audio_empty'],
  ['half a WAV header', speech.subarray(0, 22), 'audio_undecodable'],
  ['a WAV whose total size lies', wav({ riffSize: 4 }), 'decodes'],
  ['a WAV whose data size lies', wav({ dataSize: 0x7fff_fff0 }), 'decodes'],
  ['a WAV without channels', wav({ channels: 0 }), 'audio_undecodable'],
  ['a WAV with 65,535 channels', wav({ channels: 65_535 }), 'audio_undecodable'],
  ['a WAV at 0 Hz', wav({ rateHz: 0 }), 'audio_undecodable'],
  ['a WAV at 4 GHz', wav({ rateHz: 4_000_000_000 }), 'audio_undecodable'],
  ['a WAV at 1 Hz', wav({ rateHz: 1 }), 'audio_undecodable'],
  ['a WAV with 0 bits', wav({ bits: 0 }), 'audio_undecodable'],
  ['a WAV with 65,535 bits', wav({ bits: 65_535 }), 'audio_undecodable'],
  ['a WAV of NaN', wav({ tag: 3, bits: 32, data: nan }), 'decodes'],
  ['a WAV with ADPCM cut short', wav({ tag: 0x11, bits: 4 }), 'either'],
  [
    'a WAV with chunks of the wrong size',
    Buffer.concat([
      Buffer.from('RIFF\xff\xff\xff\xffWAVE', 'latin1'),
      riffChunk('fmt ', Buffer.alloc(16), 7),
    ]),
    'audio_undecodable',
  ],
  [
    'a WAV ten times as long as allowed',
    wav({ rateHz: 4_000, bits: 8, data: Buffer.alloc(2_400_000, 0x80) }),
    'audio_too_long',
  ],
  ['half a WebM header', file('chromium.webm').subarray(0, 100), 'audio_undecodable'],
  ['a WebM header alone', webmHead(), 'audio_empty'],
  ['half a WebM', truncated('chromium.webm', 0.5), 'decodes'],
  ['a WebM of video only', webmHead('V_VP8'), 'audio_undecodable'],
  ['a WebM with a broken Opus header', webmHead('A_OPUS', Buffer.from('OpusHead')), 'audio_undecodable'],
  [
    'a WebM with a block of a petabyte',
    Buffer.concat([webmHead(), Buffer.from('a3', 'hex'), Buffer.of(0x01, 0, 4, 0, 0, 0, 0, 0)]),
    'audio_undecodable',
  ],
  [
    'a WebM of empty blocks',
    Buffer.concat([webmHead(), ...Array(500).fill(simpleBlock(Buffer.alloc(0)))]),
    'audio_empty',
  ],
  [
    'a WebM nested without end',
    Buffer.concat([webmHead(), ...Array(5_000).fill(element(0x1f43b675, null))]),
    'audio_empty',
  ],
  [
    'EBML of something else',
    Buffer.concat([element(0x1a45dfa3, Buffer.alloc(8)), static_]),
    'audio_undecodable',
  ],
  ['an Ogg header alone', oggPage({ packets: [opusHead()], flags: 2 }), 'audio_empty'],
  ['half an Ogg', truncated('speech.ogg', 0.5), 'decodes'],
  [
    'an Ogg with damaged pages only',
    Buffer.from(file('speech.ogg').map((byte, i) => (i % 500 === 99 ? byte ^ 1 : byte))),
    'audio_empty',
  ],
  [
    'an Ogg with 255 Opus channels',
    oggPage({ packets: [opusHead({ channels: 255, family: 255 })], flags: 2 }),
    'audio_undecodable',
  ],
  [
    'an Ogg of Speex that is none',
    oggPage({ packets: [Buffer.from('Speex   1.2')], flags: 2 }),
    'audio_undecodable',
  ],
  ['half an MP3', truncated('speech.mp3', 0.5), 'decodes'],
  ['an MP3 tag alone', Buffer.from('ID3\x04\0\0\0\0\x01\0'), 'audio_undecodable'],
  ['an MP3 header and static', Buffer.concat([Buffer.of(0xff, 0xfb, 0x90, 0x64), static_]), 'either'],
  ['half a FLAC', truncated('speech.flac', 0.5), 'decodes'],
  [
    'a FLAC header alone',
    Buffer.concat([Buffer.from('fLaC\x80\0\0\x22', 'latin1'), file('speech.flac').subarray(8, 42)]),
    'audio_empty',
  ],
  [
    'a FLAC at 0 Hz with 32 bits',
    Buffer.concat([Buffer.from('fLaC\x80\0\0\x22', 'latin1'), Buffer.alloc(34, 0xff)]),
    'audio_undecodable',
  ],
  ['FLAC and static', Buffer.concat([file('speech.flac').subarray(0, 42), static_]), 'either'],
  ['half an m4a, whose index was at the end', truncated('speech.m4a', 0.5), 'audio_undecodable'],
  ['an mp4 of nothing', Buffer.from('\0\0\0\x18ftypisom\0\0\0\0isomiso2', 'latin1'), 'audio_undecodable'],
  [
    'an AAC header and static',
    Buffer.concat([Buffer.of(0xff, 0xf1, 0x50, 0x80, 0x02, 0x1f, 0xfc), static_]),
    'either',
  ],
  ['an AVI of nothing', Buffer.from('RIFF\0\0\0\0AVI LIST\0\0\0\0'), 'audio_undecodable'],
];

describe('a recording of', () => {
  it.each(FILES)(
    '%s ends in a failure with a name, or in what sound there is',
    async (_, bytes, expected) => {
      const path = join(folder, 'recording');
      await writeFile(path, bytes);
      const result = await outcome(decodeFile(path, CONTAINER, parts));
      if (expected === 'decodes') expect(result).toEqual(expect.any(Number));
      else if (expected === 'either') expect(isProper(result), `${result}`).toBe(true);
      else expect(result).toBe(expected);
    },
  );
});

/** A length, or one of the failures that bytes can bring about. */
const isProper = (result: number | string) =>
  typeof result === 'number' || ['audio_undecodable', 'audio_empty', 'audio_too_long'].includes(result);

/** Changes, drops and adds bytes, mostly where the headers are. */
function mutate(original: Buffer, random: () => number): Buffer {
  let bytes = Buffer.from(original);
  for (let left = 1 + Math.floor(random() * 12); left > 0; left--) {
    const at = Math.floor(random() * (random() < 0.4 ? 300 : bytes.length));
    const choice = random();
    if (choice < 0.5) bytes[at] = Math.floor(random() * 256);
    else if (choice < 0.7) bytes[at] = 0xff;
    else if (choice < 0.85)
      bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + Math.floor(random() * 50))]);
    else bytes = Buffer.concat([bytes.subarray(0, at), Buffer.alloc(20, random() * 256), bytes.subarray(at)]);
  }
  return bytes;
}

describe('a damaged recording', () => {
  const wavFile = Buffer.concat([wav({ data: Buffer.alloc(8_000) }), riffChunk('LIST', Buffer.alloc(100))]);

  it.each<[OwnContainer, Buffer]>([
    ['wav', wavFile],
    ['webm', file('chromium.webm')],
    ['webm', file('speech.webm')],
    ['ogg', file('speech.ogg')],
    ['mp3', file('speech.mp3')],
    ['flac', file('speech.flac').subarray(0, 20_000)],
  ])('in %s never brings its decoder down', async (kind, original) => {
    const chance = seeded(5);
    const results = new Set<string>();
    for (let i = 0; i < 40; i++) {
      const bytes = mutate(original, chance);
      const decoder = await openContainer(kind);
      async function* sounds(): AsyncGenerator<Float32Array> {
        // Loudness is put right after the decoder.
        for (const piece of pieces(bytes, 3_000))
          for await (const { samples } of decoder.decode(piece)) yield samples.fill(0);
        for (const { samples } of decoder.finish()) yield samples.fill(0);
      }
      const result = await outcome(sounds());
      decoder.free();
      expect(isProper(result), `${kind} ${i}: ${result}`).toBe(true);
      results.add(typeof result);
    }
    expect(results).toContain('number');
  });

  it('never brings the whole way down', async () => {
    const chance = seeded(8);
    const originals = [wavFile, ...['chromium.webm', 'speech.ogg', 'speech.mp3', 'speech.m4a'].map(file)];
    for (const original of originals)
      for (let i = 0; i < 6; i++) {
        const bytes = mutate(original, chance);
        const result = await outcome(decodeInput(stream(bytes), CONTAINER, parts));
        expect(isProper(result), `${result}`).toBe(true);
      }
  });
});

async function* stream(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield* pieces(bytes, 2_000);
}
