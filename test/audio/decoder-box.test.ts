import { describe, expect, it } from 'vitest';
import { BoxedDecoder } from '../../src/audio/decoder-box.ts';
import { systemClock } from '../../src/flow/clock.ts';
import { collect } from '../support/audio.ts';
import { FakeClock } from '../support/fake-clock.ts';

const NODE_MAJOR = Number.parseInt(process.versions.node, 10);
const entry = new URL('./bad-decoder.mjs', import.meta.url);
const [RIGHT, HANG, EXIT, HOARD, THROW, ERROR] = [0, 1, 2, 3, 4, 5].map((wrong) => Uint8Array.of(wrong)) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
];

describe('a boxed decoder', () => {
  it.each<[string, Uint8Array]>([
    ['that ends', EXIT],
    // V8 in later Nodes does not end a thread alone that hoards within one call.
    ...(NODE_MAJOR < 22
      ? [['that wants more memory than it may have', HOARD] satisfies [string, Uint8Array]]
      : []),
    ['with a bug', THROW],
    ['that fails for a reason nobody knows', ERROR],
  ])('%s fails its own stream and no other', async (_, wrong) => {
    const [bad, good] = [
      new BoxedDecoder('wav', systemClock, { entry }),
      new BoxedDecoder('wav', systemClock, { entry }),
    ];
    await collect(good.decode(RIGHT));
    await expect(collect(bad.decode(wrong))).rejects.toMatchObject({
      code: 'audio_undecodable',
      message: 'The audio is damaged.',
    });
    expect(await collect(good.decode(RIGHT))).toHaveLength(1);
    await Promise.all([bad.close(), good.close()]);
  });

  it('that hangs is ended when its time is up', async () => {
    const clock = new FakeClock();
    const decoder = new BoxedDecoder('wav', clock, { entry });
    await collect(decoder.decode(RIGHT));
    const decoding = collect(decoder.decode(HANG));
    clock.advance(60_000);
    await expect(decoding).rejects.toMatchObject({
      code: 'audio_undecodable',
      message: 'Decoding the audio took too long.',
    });
  });

  it('is ended in the middle of its work by closing it', async () => {
    const decoder = new BoxedDecoder('wav', systemClock, { entry });
    const decoding = collect(decoder.decode(HANG));
    const ended = expect(decoding).rejects.toMatchObject({ code: 'audio_undecodable' });
    await decoder.close();
    await ended;
  });
});
