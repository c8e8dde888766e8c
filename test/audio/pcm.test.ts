import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PcmReader, type SampleType } from '../../src/audio/pcm.ts';
import { bytesPerFrame, samplesOf } from '../../src/audio/position.ts';
import type { AudioEncoding } from '../../src/domain/options.ts';

const read = (sampleType: SampleType, bytes: readonly number[] | Uint8Array, channels = 1) => [
  ...new PcmReader({ sampleType, channels }).push(Uint8Array.from(bytes)),
];

describe('a PCM reader', () => {
  it.each<[SampleType, number[], number]>([
    ['u8', [0x00], -1],
    ['u8', [0x80], 0],
    ['s16le', [0x00, 0x80], -1],
    ['s16le', [0x00, 0x40], 0.5],
    ['s24le', [0x00, 0x00, 0x80], -1],
    ['s24le', [0x00, 0x00, 0x40], 0.5],
    ['s32le', [0x00, 0x00, 0x00, 0x80], -1],
    ['s32le', [0x00, 0x00, 0x00, 0x40], 0.5],
    ['f32le', [...new Uint8Array(Float32Array.of(-0.25).buffer)], -0.25],
    ['f64le', [...new Uint8Array(Float64Array.of(-0.25).buffer)], -0.25],
    // G.711: full scale, the smallest steps, and zero.
    ['mulaw', [0x00], -32_124 / 32_768],
    ['mulaw', [0x80], 32_124 / 32_768],
    ['mulaw', [0xff], 0],
    ['mulaw', [0xfe], 8 / 32_768],
    ['alaw', [0x2a], -32_256 / 32_768],
    ['alaw', [0xaa], 32_256 / 32_768],
    ['alaw', [0xd5], 8 / 32_768],
    ['alaw', [0x55], -8 / 32_768],
  ])('reads %s %j as %f', (type, bytes, expected) => {
    expect(read(type, bytes)).toEqual([Math.fround(expected)]);
  });

  it('mixes channels down to their mean', () => {
    expect(read('s16le', [0x00, 0x40, 0x00, 0x20, 0x00, 0xc0, 0x00, 0x40], 2)).toEqual([0.375, 0]);
  });

  it('makes plain numbers of what is not finite, not audible or too loud', () => {
    const odd = Float32Array.of(Number.NaN, Infinity, -Infinity, 1e-40, -1e-9, 1.5, -7, 0.5);
    expect(read('f32le', new Uint8Array(odd.buffer)).map((x) => x + 0)).toEqual([0, 0, 0, 0, 0, 1, -1, 0.5]);
  });

  it('reads the same however the bytes are split', () => {
    const types = fc.constantFrom<SampleType>('u8', 's16le', 's24le', 'f32le', 'mulaw', 'alaw');
    fc.assert(
      fc.property(
        types,
        fc.integer({ min: 1, max: 8 }),
        fc.array(fc.uint8Array({ maxLength: 40 })),
        (type, channels, parts) => {
          const reader = new PcmReader({ sampleType: type, channels });
          const split = parts.flatMap((part) => [...reader.push(part)]);
          expect(split).toEqual(read(type, Buffer.concat(parts), channels));
        },
      ),
    );
  });
});

describe('positions in raw audio', () => {
  it.each<[AudioEncoding, number, number]>([
    ['pcm_s16le', 1, 2],
    ['pcm_s16le', 2, 4],
    ['pcm_f32le', 3, 12],
    ['mulaw', 1, 1],
    ['alaw', 8, 8],
  ])('counts %s with %i channels as %i bytes a sample', (encoding, channels, bytes) => {
    const format = { encoding, channels, sampleRateHz: 8_000 };
    expect(bytesPerFrame(format)).toBe(bytes);
    expect(samplesOf(bytes * 7 + bytes - 1, format)).toBe(7);
  });

  it('does not count the bytes of containers', () => {
    expect(() => bytesPerFrame({ encoding: 'container', channels: 1, sampleRateHz: 16_000 })).toThrow(
      RangeError,
    );
  });
});
