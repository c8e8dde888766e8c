/** Containers made by hand, right or wrong in just one place. */

interface WavFields {
  readonly tag?: number;
  readonly channels?: number;
  readonly rateHz?: number;
  readonly bits?: number;
  readonly blockAlign?: number;
  readonly riffSize?: number;
  readonly dataSize?: number;
  /** Chunks before the samples. */
  readonly before?: readonly Buffer[];
  readonly data?: Uint8Array;
  /** The sub-format of WAVE_FORMAT_EXTENSIBLE. */
  readonly subFormat?: number;
}

/** A RIFF chunk, padded to an even length. */
export function riffChunk(id: string, body: Uint8Array, size = body.length): Buffer {
  const header = Buffer.alloc(8);
  header.write(id, 'latin1');
  header.writeUInt32LE(size, 4);
  return Buffer.concat([header, body, Buffer.alloc(body.length % 2)]);
}

/** A WAV file of 0.1 s of s16le silence at 16 kHz, but for what is said. */
export function wav(fields: WavFields = {}): Buffer {
  const { tag = 1, channels = 1, rateHz = 16_000, bits = 16, data = Buffer.alloc(3_200) } = fields;
  const blockAlign = fields.blockAlign ?? (channels * Math.ceil(bits / 8)) % 65_536;
  const format = Buffer.alloc(fields.subFormat === undefined ? 16 : 40);
  format.writeUInt16LE(tag, 0);
  format.writeUInt16LE(channels, 2);
  format.writeUInt32LE(rateHz, 4);
  format.writeUInt32LE((rateHz * blockAlign) % 2 ** 32, 8);
  format.writeUInt16LE(blockAlign, 12);
  format.writeUInt16LE(bits, 14);
  if (fields.subFormat !== undefined) {
    format.writeUInt16LE(22, 16);
    format.writeUInt16LE(fields.subFormat, 24);
  }
  const body = Buffer.concat([
    Buffer.from('WAVE'),
    riffChunk('fmt ', format),
    ...(fields.before ?? []),
    riffChunk('data', data, fields.dataSize ?? data.length),
  ]);
  return riffChunk('RIFF', body, fields.riffSize ?? body.length);
}

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  return crc;
});

interface OggPageFields {
  readonly packets: readonly Uint8Array[];
  readonly granule?: number;
  /** 1 continued, 2 first, 4 last. */
  readonly flags?: number;
  readonly serial?: number;
  readonly sequence?: number;
}

/** An Ogg page of whole packets. */
export function oggPage({
  packets,
  granule = 0,
  flags = 0,
  serial = 7,
  sequence = 0,
}: OggPageFields): Buffer {
  const segments = packets.flatMap(({ length }) => [
    ...Array(Math.floor(length / 255)).fill(255),
    length % 255,
  ]);
  const header = Buffer.alloc(27);
  header.write('OggS');
  header[5] = flags;
  header.writeBigInt64LE(BigInt(granule), 6);
  header.writeUInt32LE(serial, 14);
  header.writeUInt32LE(sequence, 18);
  header[26] = segments.length;
  const page = Buffer.concat([header, Buffer.from(segments), ...packets]);
  let crc = 0;
  for (const byte of page) crc = (crc << 8) ^ CRC[(crc >>> 24) ^ byte]!;
  page.writeUInt32LE(crc >>> 0, 22);
  return page;
}

/** An Opus identification header for one channel. */
export function opusHead({ preSkip = 312, channels = 1, version = 1, family = 0 } = {}): Buffer {
  const head = Buffer.alloc(19);
  head.write('OpusHead');
  head[8] = version;
  head[9] = channels;
  head.writeUInt16LE(preSkip, 10);
  head.writeUInt32LE(48_000, 12);
  head[18] = family;
  return head;
}

/** An EBML element; a null body leaves its size unknown. */
export function element(id: number, body: Uint8Array | null): Buffer {
  const hex = id.toString(16);
  const size = Buffer.alloc(8);
  if (body === null) size.fill(0xff);
  else size.writeBigUInt64BE(BigInt(body.length));
  size[0] = 0x01;
  return Buffer.concat([Buffer.from(hex, 'hex'), size, body ?? new Uint8Array(0)]);
}

/** The beginning of a live WebM stream with one Opus track, up to its first block. */
export function webmHead(codec = 'A_OPUS', codecPrivate: Uint8Array = opusHead()): Buffer {
  const track = Buffer.concat([
    element(0xd7, Buffer.of(1)),
    element(0x83, Buffer.of(2)),
    element(0x86, Buffer.from(codec)),
    element(0x63a2, codecPrivate),
  ]);
  return Buffer.concat([
    element(0x1a45dfa3, element(0x4282, Buffer.from('webm'))),
    element(0x18538067, null),
    element(0x1654ae6b, element(0xae, track)),
    element(0x1f43b675, null),
  ]);
}

/** A block of track 1 with these frames' bytes, laced or not as `flags` say. */
export const simpleBlock = (payload: Uint8Array, flags = 0): Buffer =>
  element(0xa3, Buffer.concat([Buffer.of(0x81, 0, 0, flags), payload]));

/** An Opus packet that stands for 120 ms in one byte: two empty 60 ms frames. */
export const TINY_OPUS_PACKET = Buffer.of((3 << 3) | 1);
