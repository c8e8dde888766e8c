/**
 * Whisper's log-mel spectrogram (Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision",
 * 2022, § 2.2), grown as audio grows. Whisper sees 30 s at a time, silent after the audio's end, so a frame is
 * final once the audio reaches past its window; only the last frames are computed anew when audio is added.
 */
import { SAMPLE_RATE_HZ } from '../domain/time.ts';
import { PowerSpectrum } from './fft.ts';
import { type MelFilter, melFilters } from './mel-filters.ts';
import { MAX_WINDOW_SAMPLES } from './recognition.ts';

const FRAME_SAMPLES = 400;
const HALF_FRAME = FRAME_SAMPLES / 2;

/** Samples from one frame to the next: 10 ms. */
const HOP_SAMPLES = 160;

/** Frames in Whisper's 30 s. */
export const MAX_FRAMES = MAX_WINDOW_SAMPLES / HOP_SAMPLES;

/** The least power told from none, as a logarithm: what silence measures. */
const FLOOR_POWER = 1e-10;
const FLOOR_LOG = -10;

/** How far below the loudest value anything counts: 80 dB. */
const RANGE_LOG = 8;

const HANN = Float64Array.from(
  { length: FRAME_SAMPLES },
  (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / FRAME_SAMPLES),
);

/** The features of a growing stretch of audio, from its first sample on. */
export class MelStream {
  readonly melCount: number;
  readonly #filters: readonly MelFilter[];
  readonly #spectrum = new PowerSpectrum(FRAME_SAMPLES);
  readonly #power = new Float64Array(HALF_FRAME + 1);
  #audio = new Float32Array(SAMPLE_RATE_HZ);
  #sampleCount = 0;
  /** Logarithms of mel powers, frame after frame, before normalisation. */
  #logs = new Float32Array(0);
  /** Frames that more audio cannot change. */
  #settledFrames = 0;
  /** Frames computed; those above hold nothing but silence. */
  #frames = 0;

  /** @param melCount 80 or 128, as the model was trained. */
  constructor(melCount: number) {
    this.melCount = melCount;
    this.#filters = melFilters(melCount, FRAME_SAMPLES, SAMPLE_RATE_HZ);
  }

  /** How much audio it was given, in samples. */
  get sampleCount(): number {
    return this.#sampleCount;
  }

  /**
   * Adds audio at the end.
   * @param audio 16 kHz mono, −1…1; copied.
   * @throws RangeError beyond 30 s in all.
   */
  append(audio: Float32Array): void {
    const total = this.#sampleCount + audio.length;
    if (total > MAX_WINDOW_SAMPLES) throw new RangeError('the mel spectrogram is limited to 30 s of audio');
    if (total > this.#audio.length) this.#audio = grown(this.#audio, total, MAX_WINDOW_SAMPLES);
    this.#audio.set(audio, this.#sampleCount);
    this.#sampleCount = total;

    // Frame t is centred on sample 160 t and reaches 200 samples to either side.
    const settled = Math.max(0, Math.floor((total - HALF_FRAME) / HOP_SAMPLES) + 1);
    const frames = Math.min(MAX_FRAMES, Math.ceil((total + HALF_FRAME) / HOP_SAMPLES));
    const values = frames * this.melCount;
    if (values > this.#logs.length) this.#logs = grown(this.#logs, values, MAX_FRAMES * this.melCount);
    for (let frame = this.#settledFrames; frame < frames; frame++) this.#compute(frame);
    this.#settledFrames = Math.min(settled, frames);
    this.#frames = frames;
  }

  /**
   * The features as the encoder wants them: normalised, one row for each mel with the values of the frames
   * `from` … `to`, silence where they go beyond the audio. The loudest sound so far sets what is clamped.
   * @returns `melCount × (to − from)` values.
   */
  features(to: number, from = 0): Float32Array {
    const { melCount } = this;
    const logs = this.#logs;
    const known = this.#frames * melCount;
    let peak = FLOOR_LOG;
    for (let i = 0; i < known; i++) if (logs[i]! > peak) peak = logs[i]!;
    const least = Math.max(FLOOR_LOG, peak - RANGE_LOG);

    const width = to - from;
    const out = new Float32Array(melCount * width).fill((least + 4) / 4);
    const filled = Math.min(to, this.#frames);
    for (let mel = 0; mel < melCount; mel++)
      for (let frame = from; frame < filled; frame++) {
        const log = logs[frame * melCount + mel]!;
        if (log > least) out[mel * width + frame - from] = (log + 4) / 4;
      }
    return out;
  }

  #compute(frame: number): void {
    this.#window(frame * HOP_SAMPLES - HALF_FRAME);
    this.#spectrum.compute(this.#power);
    const power = this.#power;
    const at = frame * this.melCount;
    for (let mel = 0; mel < this.melCount; mel++) {
      const { firstBin, weights } = this.#filters[mel]!;
      let sum = 0;
      for (let i = 0; i < weights.length; i++) sum += weights[i]! * power[firstBin + i]!;
      this.#logs[at + mel] = sum > FLOOR_POWER ? Math.log10(sum) : FLOOR_LOG;
    }
  }

  /** Cuts out the frame that begins at `start`; the 30 s are mirrored at both ends. */
  #window(start: number): void {
    const { frame } = this.#spectrum;
    const audio = this.#audio;
    const end = this.#sampleCount;
    if (start >= 0 && start + FRAME_SAMPLES <= end) {
      for (let i = 0; i < FRAME_SAMPLES; i++) frame[i] = audio[start + i]! * HANN[i]!;
      return;
    }
    for (let i = 0; i < FRAME_SAMPLES; i++) {
      let at = Math.abs(start + i);
      if (at >= MAX_WINDOW_SAMPLES) at = 2 * (MAX_WINDOW_SAMPLES - 1) - at;
      frame[i] = at < end ? audio[at]! * HANN[i]! : 0;
    }
  }
}

/** A copy with room for at least `needed` values: twice what it had, up to `most`. */
function grown(values: Float32Array<ArrayBuffer>, needed: number, most: number): Float32Array<ArrayBuffer> {
  const copy = new Float32Array(Math.min(most, Math.max(needed, 2 * values.length)));
  copy.set(values);
  return copy;
}
