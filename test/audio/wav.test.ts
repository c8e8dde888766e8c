import { describe, expect, it } from 'vitest';
import { WavDecoder } from '../../src/audio/containers/wav.ts';
import type { Failure } from '../../src/domain/failure.ts';
import { collect, concat, pieces, tone } from '../support/audio.ts';
import { riffChunk, wav } from '../support/containers.ts';

async function decode(bytes: Uint8Array, size = bytes.length) {
  const decoder = new WavDecoder();
  const sounds = [];
  for (const piece of pieces(bytes, size)) sounds.push(...(await collect(decoder.decode(piece))));
  sounds.push(...decoder.finish());
  return { samples: concat(sounds.map(({ samples }) => samples)), rateHz: sounds[0]?.rateHz };
}

const audio = tone(440, 0.2);
const floats = Buffer.from(audio.buffer);
const shorts = Buffer.from(Int16Array.from(audio, (x) => x * 32_767).buffer);
const bytes = (count: number) => Buffer.alloc(count, 1);

describe('WAV', () => {
  it.each([
    ['16 bits', { data: shorts }],
    ['32-bit floats', { tag: 3, bits: 32, data: floats }],
    ['64-bit floats', { tag: 3, bits: 64, data: Buffer.from(Float64Array.from(audio).buffer) }],
    ['8 bits', { bits: 8, data: Buffer.from(audio.map((x) => 128 + x * 127)) }],
    [
      '24 bits',
      {
        bits: 24,
        data: Buffer.concat(
          [...audio].map((x) => {
            const b = Buffer.alloc(3);
            b.writeIntLE(Math.round(x * 8_388_607), 0, 3);
            return b;
          }),
        ),
      },
    ],
    ['32 bits', { bits: 32, data: Buffer.from(Int32Array.from(audio, (x) => x * 2_147_483_647).buffer) }],
    ['an extensible header', { tag: 0xfffe, subFormat: 1, data: shorts }],
    ['an extensible header with floats', { tag: 0xfffe, subFormat: 3, bits: 32, data: floats }],
    [
      'chunks before the samples',
      { data: shorts, before: [riffChunk('LIST', bytes(33)), riffChunk('JUNK', bytes(70_000))] },
    ],
    ['a total size of 0', { data: shorts, riffSize: 0 }],
    ['a total size of nonsense', { data: shorts, riffSize: 0x7fff_ffff }],
    ['a data size of 0', { data: shorts, dataSize: 0 }],
    ['an unknown data size', { data: shorts, dataSize: 0xffff_ffff }],
    ['a data size that is too large', { data: shorts, dataSize: 1_000_000 }],
    ['a block size of 0', { data: shorts, blockAlign: 0 }],
    ['a block size of nonsense', { data: shorts, blockAlign: 999 }],
  ])('with %s is read right, in any split', async (_, fields) => {
    const file = wav(fields);
    for (const size of [file.length, 1_000, 7]) {
      const { samples, rateHz } = await decode(file, size);
      expect(rateHz).toBe(16_000);
      expect(samples).toHaveLength(audio.length);
      expect(Math.max(...samples.map((x, i) => Math.abs(x - audio[i]!)))).toBeLessThan(0.02);
    }
  });

  it('mixes channels and leaves the rate to others', async () => {
    const stereo = Buffer.from(Int16Array.from([16_384, 0, -16_384, -16_384]).buffer);
    const { samples, rateHz } = await decode(wav({ channels: 2, rateHz: 44_100, data: stereo }));
    expect([...samples]).toEqual([0.25, -0.5]);
    expect(rateHz).toBe(44_100);
  });

  it('does not take tags after the samples for sound', async () => {
    const file = Buffer.concat([wav({ data: shorts }), riffChunk('LIST', bytes(500))]);
    expect((await decode(file)).samples).toHaveLength(audio.length);
  });

  it.each<[string, Buffer]>([
    ['no channel', wav({ channels: 0 })],
    ['65,535 channels', wav({ channels: 65_535 })],
    ['0 Hz', wav({ rateHz: 0 })],
    ['4 GHz', wav({ rateHz: 4_000_000_000 })],
    ['0 bits', wav({ bits: 0 })],
    ['61 bits', wav({ bits: 61 })],
    ['an unknown format', wav({ tag: 0x4321 })],
    ['an extensible header that is too short', wav({ tag: 0xfffe })],
    ['no format', Buffer.concat([Buffer.from('RIFF\0\0\0\0WAVE'), riffChunk('data', shorts)])],
    [
      'a header that never ends',
      Buffer.concat([Buffer.from('RIFF\0\0\0\0WAVE'), riffChunk('JUNK', bytes(9), 0xffff_fff0)]),
    ],
    [
      'a format chunk of a gigabyte',
      Buffer.concat([Buffer.from('RIFF\0\0\0\0WAVE'), riffChunk('fmt ', bytes(9), 0x4000_0000)]),
    ],
    ['half a header', wav().subarray(0, 20)],
    ['another form', Buffer.from('RIFF\0\0\0\0AVI LIST')],
  ])('with %s is refused', async (_, file) => {
    await expect(decode(file)).rejects.toMatchObject({
      code: 'audio_undecodable',
    } satisfies Partial<Failure>);
  });
});
