import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openContainer } from '../../src/audio/containers/open.ts';
import type { OwnContainer } from '../../src/audio/sniff.ts';
import { collect, concat, fixture, pieces, readWav, same, seeded } from '../support/audio.ts';
import {
  element,
  oggPage,
  opusHead,
  simpleBlock,
  TINY_OPUS_PACKET,
  webmHead,
} from '../support/containers.ts';

// In their thread the codecs are silent; here they would complain of every damaged packet.
beforeAll(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
});
afterAll(() => {
  vi.restoreAllMocks();
});

const original = readWav('austen-0880.wav');
const file = (name: string) => readFileSync(fixture(`containers/${name}`));

async function decode(kind: OwnContainer, parts: Iterable<Uint8Array>) {
  const decoder = await openContainer(kind);
  const sounds = [];
  for (const part of parts) sounds.push(...(await collect(decoder.decode(part))));
  sounds.push(...decoder.finish());
  decoder.free();
  return concat(sounds.map(({ samples }) => samples));
}

/** Pieces of random length. */
function* torn(bytes: Uint8Array, longest: number): Generator<Uint8Array> {
  const random = seeded(3);
  for (let at = 0; at < bytes.length; ) {
    const length = 1 + Math.floor(random() * longest);
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

const undecodable = { code: 'audio_undecodable' };
/** What a tiny Opus packet decodes to, at 16 kHz. */
const TINY = 1_920;
const PRE_SKIP = 104;

describe.each<[OwnContainer, string]>([
  ['webm', 'chromium.webm'],
  ['webm', 'speech.webm'],
  ['ogg', 'speech.ogg'],
  ['mp3', 'speech.mp3'],
  ['flac', 'speech.flac'],
])('%s: %s', (kind, name) => {
  it('decodes to the same samples in any split', async () => {
    const whole = await decode(kind, [file(name)]);
    for (const longest of [3, 900])
      expect(same(await decode(kind, torn(file(name), longest)), whole)).toBe(true);
  });

  it('ends where it is cut off', async () => {
    const whole = await decode(kind, [file(name)]);
    const cut = await decode(kind, [file(name).subarray(0, file(name).length * 0.7)]);
    expect(cut.length).toBeGreaterThan(whole.length * 0.3);
    expect(cut.length).toBeLessThan(whole.length);
  });
});

describe('FLAC', () => {
  it('loses nothing', async () => {
    expect(same(await decode('flac', [file('speech.flac')]), original)).toBe(true);
  });

  it('goes on behind a damaged frame', async () => {
    const bytes = Buffer.from(file('speech.flac'));
    bytes.fill(0x55, 30_000, 30_100);
    const samples = await decode('flac', pieces(bytes, 4_096));
    expect(samples.length).toBeGreaterThan(original.length * 0.7);
    expect(samples.length).toBeLessThan(original.length);
    expect(same(samples.slice(-1_000), original.slice(-1_000))).toBe(true);
  });

  it('is refused where there is no end of nonsense', async () => {
    const header = file('speech.flac').subarray(0, 42);
    header[4] = 0x80;
    const nonsense = Buffer.alloc(65_536, 0x20);
    await expect(decode('flac', [header, ...Array(80).fill(nonsense)])).rejects.toMatchObject(undecodable);
  });

  it('is refused without its header', async () => {
    await expect(decode('flac', [Buffer.from('fLaC\x84\0\0\x04abcd\xff\xf8')])).rejects.toMatchObject(
      undecodable,
    );
    await expect(decode('flac', [Buffer.from('fLaC')])).rejects.toMatchObject(undecodable);
  });
});

describe('Ogg', () => {
  const head = oggPage({ packets: [opusHead()], flags: 2 });
  const tags = oggPage({ packets: [Buffer.from('OpusTags')], sequence: 1 });
  const packets = [1, 2, 3].map(() => TINY_OPUS_PACKET);
  const page = (granule: number, flags = 0) => oggPage({ packets, granule, flags, sequence: 2 });

  it('has the length that its last page says', async () => {
    expect(await decode('ogg', [file('speech.ogg')])).toHaveLength(original.length);
    expect(await decode('ogg', [head, tags, page(17_280), page(30_000, 4)])).toHaveLength(10_000 - PRE_SKIP);
  });

  it('may begin late, as a stream that was cut out of another', async () => {
    const samples = await decode('ogg', [head, tags, page(1_017_280), page(1_030_000, 4)]);
    expect(samples).toHaveLength(10_000 - PRE_SKIP);
  });

  it('may hold one stream after another', async () => {
    const stream = [head, tags, page(17_280, 4)];
    expect(await decode('ogg', [...stream, ...stream])).toHaveLength(2 * (3 * TINY - PRE_SKIP));
  });

  it('puts together packets that go over pages', async () => {
    const comment = Buffer.alloc(255 * 3, 'OpusTags');
    const pages = [
      oggPage({ packets: [comment.subarray(0, 254)], sequence: 1 }),
      oggPage({ packets: [TINY_OPUS_PACKET], granule: 5_760, sequence: 2 }),
    ];
    expect(await decode('ogg', [head, ...pages])).toHaveLength(TINY - PRE_SKIP);
  });

  it('leaves out what is damaged or belongs to another stream', async () => {
    const damaged = page(17_280);
    damaged[31]! ^= 1;
    const foreign = oggPage({ packets, serial: 99 });
    const samples = await decode('ogg', [head, tags, damaged, foreign, Buffer.from('noise'), page(34_560)]);
    expect(samples).toHaveLength(3 * TINY - PRE_SKIP);
  });

  it.each([
    ['no Opus in it', [oggPage({ packets: [Buffer.from('\x01vorbis')], flags: 2 })]],
    ['an Opus of the future', [oggPage({ packets: [opusHead({ version: 16 })], flags: 2 })]],
    ['no channels', [oggPage({ packets: [opusHead({ channels: 0 })], flags: 2 })]],
    ['255 channels', [oggPage({ packets: [opusHead({ channels: 255, family: 1 })], flags: 2 })]],
    ['half a header', [oggPage({ packets: [opusHead().subarray(0, 12)], flags: 2 })]],
    ['no end of nonsense', [head, ...Array(20).fill(Buffer.alloc(65_536, 'Ogg'))]],
  ])('with %s is refused', async (_, parts) => {
    await expect(decode('ogg', parts)).rejects.toMatchObject(undecodable);
  });
});

describe('WebM', () => {
  it('has the length that its padding says', async () => {
    expect(await decode('webm', [file('speech.webm')])).toHaveLength(original.length);
  });

  it.each([
    ['unlaced', 0, TINY_OPUS_PACKET, 1],
    ['Xiph-laced', 0x02, Buffer.concat([Buffer.of(1, 1), TINY_OPUS_PACKET, TINY_OPUS_PACKET]), 2],
    ['fixed-laced', 0x04, Buffer.concat([Buffer.of(1), TINY_OPUS_PACKET, TINY_OPUS_PACKET]), 2],
    [
      'EBML-laced',
      0x06,
      Buffer.concat([Buffer.of(2, 0x81, 0xbf), TINY_OPUS_PACKET, TINY_OPUS_PACKET, TINY_OPUS_PACKET]),
      3,
    ],
  ])('reads %s blocks', async (_, flags, payload, frames) => {
    expect(await decode('webm', [webmHead(), simpleBlock(payload, flags)])).toHaveLength(
      frames * TINY - PRE_SKIP,
    );
  });

  it('drops the padding of a block group', async () => {
    const block = element(0xa1, Buffer.concat([Buffer.of(0x81, 0, 0, 0), TINY_OPUS_PACKET]));
    const padding = element(0x75a2, Buffer.of(0x00, 0x98, 0x96, 0x80));
    const samples = await decode('webm', [webmHead(), element(0xa0, Buffer.concat([block, padding]))]);
    expect(samples).toHaveLength(TINY - PRE_SKIP - 160);
  });

  it('keeps time over packets that cannot be decoded', async () => {
    const bad = Buffer.alloc(9_000, 0xff);
    bad[0] = TINY_OPUS_PACKET[0]!;
    const samples = await decode('webm', [webmHead(), simpleBlock(bad), simpleBlock(TINY_OPUS_PACKET)]);
    expect(samples).toHaveLength(2 * TINY - PRE_SKIP);
  });

  it('passes over other tracks and what it does not know', async () => {
    const other = element(0xa3, Buffer.of(0x82, 0, 0, 0, 1, 2, 3));
    const unknown = element(0xec, Buffer.alloc(300));
    const samples = await decode('webm', [webmHead(), other, unknown, simpleBlock(TINY_OPUS_PACKET)]);
    expect(samples).toHaveLength(TINY - PRE_SKIP);
  });

  it('may begin anew, as a recorder that was restarted does', async () => {
    const stream = [webmHead(), simpleBlock(TINY_OPUS_PACKET)];
    expect(await decode('webm', [...stream, ...stream])).toHaveLength(2 * (TINY - PRE_SKIP));
  });

  it.each([
    ['another codec', [webmHead('A_VORBIS')]],
    ['a damaged Opus header', [webmHead('A_OPUS', Buffer.from('OpusHe'))]],
    [
      'packed tracks',
      [webmHead('A_OPUS', Buffer.concat([opusHead(), element(0x6d80, Buffer.of(1))])).subarray(0, 60)],
    ],
    ['no tracks', [element(0x1a45dfa3, Buffer.alloc(4))]],
    ['a block of a gigabyte', [webmHead(), Buffer.from('a3083fffffff', 'hex')]],
    ['a block without frames', [webmHead(), element(0xa3, Buffer.of(0x81, 0))]],
    ['an endless id', [webmHead(), Buffer.of(0x00, 0x01)]],
    ['a lace longer than its block', [webmHead(), simpleBlock(Buffer.of(1, 200, 1, 2), 0x02)]],
    ['a lace of negative length', [webmHead(), simpleBlock(Buffer.of(2, 0x81, 0x80, 1, 2), 0x06)]],
    ['a lace cut short', [webmHead(), simpleBlock(Buffer.of(3, 255), 0x02)]],
  ])('with %s is refused', async (_, parts) => {
    await expect(decode('webm', parts)).rejects.toMatchObject(undecodable);
  });
});

describe('MP3', () => {
  it('has the length that its header says', async () => {
    expect(
      Math.abs((await decode('mp3', [file('speech.mp3')])).length - original.length),
    ).toBeLessThanOrEqual(160);
  });

  it('finds its way through nonsense', async () => {
    const bytes = file('speech.mp3');
    const samples = await decode('mp3', [
      bytes.subarray(0, 5_000),
      Buffer.alloc(3_000, 0x11),
      bytes.subarray(5_000),
    ]);
    expect(samples.length).toBeGreaterThan(original.length * 0.8);
  });

  it('is refused without a single frame', async () => {
    await expect(decode('mp3', [Buffer.alloc(10_000, 0xff)])).rejects.toMatchObject(undecodable);
  });
});
