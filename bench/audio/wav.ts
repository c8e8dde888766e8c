import { SAMPLE_RATE_HZ } from '../../src/domain/time.ts';

const HEADER_BYTES = 44;

/** 16 kHz mono samples as a WAV file (RIFF, PCM, 16 bits). */
export function wavOf(pcm: Int16Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER_BYTES + pcm.byteLength);
  const view = new DataView(bytes.buffer);
  const put = (at: number, text: string) => bytes.set(new TextEncoder().encode(text), at);
  put(0, 'RIFF');
  view.setUint32(4, bytes.length - 8, true);
  put(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, SAMPLE_RATE_HZ, true);
  view.setUint32(28, SAMPLE_RATE_HZ * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  put(36, 'data');
  view.setUint32(40, pcm.byteLength, true);
  for (const [i, sample] of pcm.entries()) view.setInt16(HEADER_BYTES + 2 * i, sample, true);
  return bytes;
}
