/** A WAV file: what every transcription endpoint reads. */
import { SAMPLE_RATE_HZ } from '../domain/time.ts';

const HEADER_BYTES = 44;
const SAMPLE_BYTES = 2;
const PCM = 1;
const LARGEST = 32_767;

/**
 * 16-bit mono PCM in a WAV file (Microsoft and IBM, "Multimedia Programming Interface", 1991).
 * @param audio 16 kHz mono; what is beyond −1…1 is cut off.
 */
export function wavOf(audio: Float32Array): Uint8Array<ArrayBuffer> {
  const dataBytes = audio.length * SAMPLE_BYTES;
  const bytes = new Uint8Array(HEADER_BYTES + dataBytes);
  const view = new DataView(bytes.buffer);
  const text = (at: number, value: string) => new TextEncoder().encodeInto(value, bytes.subarray(at));
  text(0, 'RIFF');
  view.setUint32(4, HEADER_BYTES - 8 + dataBytes, true);
  text(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, PCM, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, SAMPLE_RATE_HZ, true);
  view.setUint32(28, SAMPLE_RATE_HZ * SAMPLE_BYTES, true);
  view.setUint16(32, SAMPLE_BYTES, true);
  view.setUint16(34, 8 * SAMPLE_BYTES, true);
  text(36, 'data');
  view.setUint32(40, dataBytes, true);
  for (let at = 0; at < audio.length; at++) {
    const sample = Math.max(-1, Math.min(1, audio[at]!));
    view.setInt16(HEADER_BYTES + at * SAMPLE_BYTES, Math.round(sample * LARGEST), true);
  }
  return bytes;
}
