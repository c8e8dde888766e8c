/** Tells what audio is by its first bytes. File names and media types are never believed. */
import { ascii, viewOf } from './containers/byte-queue.ts';
import { isPlainWav, wavFormatTag } from './containers/wav-format.ts';

/** The containers that are read in a thread of this process; `webm` and `ogg` with Opus. */
export type OwnContainer = 'wav' | 'webm' | 'ogg' | 'mp3' | 'flac';

export type Container =
  | { readonly by: 'thread'; readonly kind: OwnContainer }
  /** @property demuxer ffmpeg's name for the container; nothing else is let in. */
  | { readonly by: 'ffmpeg'; readonly demuxer: string };

/** As much as is ever needed to tell; less will do for almost everything. */
export const SNIFF_BYTES = 65_536;

/** Fewer bytes tell nothing for certain. */
const LEAST_BYTES = 12;

const thread = (kind: OwnContainer): Container => ({ by: 'thread', kind });
const ffmpeg = (demuxer: string): Container => ({ by: 'ffmpeg', demuxer });

/** What a format needs no second look for: the bytes at a place, and who reads it. */
const MAGIC: readonly (readonly [at: number, bytes: string, container: Container])[] = [
  [0, 'fLaC', thread('flac')],
  [4, 'ftyp', ffmpeg('mov')],
  [4, 'moov', ffmpeg('mov')],
  [4, 'mdat', ffmpeg('mov')],
  [4, 'wide', ffmpeg('mov')],
  [8, 'AIFF', ffmpeg('aiff')],
  [8, 'AIFC', ffmpeg('aiff')],
  [8, 'AVI ', ffmpeg('avi')],
  [0, '#!AMR', ffmpeg('amr')],
  [0, 'caff', ffmpeg('caf')],
  [0, '.snd', ffmpeg('au')],
  [0, 'FLV\x01', ffmpeg('flv')],
  [0, 'wvPk', ffmpeg('wv')],
  [0, '\x30\x26\xb2\x75\x8e\x66\xcf\x11', ffmpeg('asf')],
  [0, '\x00\x00\x01\xba', ffmpeg('mpeg')],
];

/**
 * @param head The first bytes: all there are, or as many as have come.
 * @param isAll Whether no more will come, or be waited for.
 * @returns The container; `more` where more bytes are needed to tell; null where this is no audio we know.
 */
export function sniff(head: Uint8Array, isAll: boolean): Container | 'more' | null {
  const known = head.length >= LEAST_BYTES || isAll;
  if (!known) return 'more';
  const seen = head.subarray(0, SNIFF_BYTES);
  return look(seen, isAll || head.length >= SNIFF_BYTES);
}

function look(head: Uint8Array, isAll: boolean): Container | 'more' | null {
  const has = (at: number, bytes: string) => ascii(head.subarray(at, at + bytes.length)) === bytes;
  if (has(8, 'WAVE') && (has(0, 'RIFF') || has(0, 'RF64') || has(0, 'BW64'))) return lookInWav(head, isAll);
  if (has(0, 'OggS')) return lookInOgg(head, isAll);
  if (has(0, '\x1a\x45\xdf\xa3')) return lookInMatroska(head, isAll);
  if (has(0, 'ID3')) return lookBehindId3(head, isAll);
  const container = MAGIC.find(([at, bytes]) => has(at, bytes))?.[2] ?? mpegAudio(head);
  if (container) return container;
  // MPEG transport streams: a sync byte every 188 bytes.
  if (head[0] !== 0x47 || head.length <= 376) return head[0] === 0x47 && !isAll ? 'more' : null;
  return head[188] === 0x47 && head[376] === 0x47 ? ffmpeg('mpegts') : null;
}

/** A frame header of MPEG audio (ISO 11172-3, 2.4.1.3) or of AAC in ADTS (ISO 13818-7, 6.2). */
function mpegAudio(head: Uint8Array): Container | null {
  const [sync, flags = 0, rates = 0] = head;
  if (sync !== 0xff || (flags & 0xe0) !== 0xe0) return null;
  const isLayerZero = (flags & 0x06) === 0;
  if (isLayerZero) return (flags & 0xf0) === 0xf0 && (rates & 0x3c) < 13 << 2 ? ffmpeg('aac') : null;
  const isReserved = (flags & 0x18) === 0x08 || (rates & 0xf0) === 0xf0 || (rates & 0x0c) === 0x0c;
  return isReserved ? null : thread('mp3');
}

function lookBehindId3(head: Uint8Array, isAll: boolean): Container | 'more' {
  // The size is four times seven bits, without the header's ten bytes (ID3v2.4, 3.1).
  const size = head.subarray(6, 10).reduce((sum, byte) => sum * 128 + (byte & 0x7f), 0);
  const hasFooter = ((head[5] ?? 0) & 0x10) !== 0;
  const rest = head.subarray(10 + size + (hasFooter ? 10 : 0));
  if (rest.length < 4) return isAll ? thread('mp3') : 'more';
  return ascii(rest.subarray(0, 4)) === 'fLaC' ? ffmpeg('flac') : (mpegAudio(rest) ?? thread('mp3'));
}

function lookInWav(head: Uint8Array, isAll: boolean): Container | 'more' {
  for (let at = 12; at + 8 <= head.length; ) {
    const id = ascii(head.subarray(at, at + 4));
    const size = viewOf(head).getUint32(at + 4, true);
    const body = head.subarray(at + 8, at + 8 + size);
    if (id === 'data') return thread('wav');
    if (id === 'fmt ' && (body.length === size || isAll)) {
      const tag = wavFormatTag(body);
      return tag === null || isPlainWav(tag) ? thread('wav') : ffmpeg('wav');
    }
    at += 8 + size + (size % 2);
  }
  return isAll ? thread('wav') : 'more';
}

function lookInOgg(head: Uint8Array, isAll: boolean): Container | 'more' {
  // The first page holds the first packet alone (RFC 3533, 4); its header has a byte for each segment.
  const payload = head.subarray(27 + (head[26] ?? 0));
  if (payload.length < 8) return isAll ? thread('ogg') : 'more';
  return ascii(payload.subarray(0, 8)) === 'OpusHead' ? thread('ogg') : ffmpeg('ogg');
}

function lookInMatroska(head: Uint8Array, isAll: boolean): Container | 'more' {
  const text = Buffer.from(head.buffer, head.byteOffset, head.length);
  if (text.includes('A_OPUS', 0, 'latin1')) return thread('webm');
  // The first cluster: the tracks have been told by then.
  const isPastTracks = text.includes('\x1f\x43\xb6\x75', 0, 'latin1');
  return isPastTracks || isAll ? ffmpeg('matroska') : 'more';
}
