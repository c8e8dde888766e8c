/**
 * The mel filter bank of Whisper, computed: triangles on Slaney's mel scale (Auditory Toolbox, 1998), each of
 * unit area, from 0 Hz to half the sampling rate.
 */

/** One triangle: the weights of the spectrum's bins from `firstBin` on; all others weigh nothing. */
export interface MelFilter {
  readonly firstBin: number;
  readonly weights: Float64Array;
}

/** Slaney's scale is linear up to 1 kHz, 15 mels at 200/3 Hz each, and logarithmic above. */
const HZ_PER_LINEAR_MEL = 200 / 3;
const BREAK_HZ = 1000;
const BREAK_MEL = BREAK_HZ / HZ_PER_LINEAR_MEL;
const MELS_PER_LOG_HZ = 27 / Math.log(6.4);

const melOf = (hz: number): number =>
  hz < BREAK_HZ ? hz / HZ_PER_LINEAR_MEL : BREAK_MEL + Math.log(hz / BREAK_HZ) * MELS_PER_LOG_HZ;

const hzOf = (mel: number): number =>
  mel < BREAK_MEL ? mel * HZ_PER_LINEAR_MEL : BREAK_HZ * Math.exp((mel - BREAK_MEL) / MELS_PER_LOG_HZ);

/**
 * @param melCount 80 for tiny … large-v2, 128 for large-v3 and turbo.
 * @param fftLength In samples; the spectrum has `fftLength / 2 + 1` bins.
 */
export function melFilters(melCount: number, fftLength: number, sampleRateHz: number): MelFilter[] {
  const topMel = melOf(sampleRateHz / 2);
  const edges = Array.from({ length: melCount + 2 }, (_, i) => hzOf((topMel * i) / (melCount + 1)));
  const bins = fftLength / 2 + 1;
  const hzPerBin = sampleRateHz / fftLength;

  return Array.from({ length: melCount }, (_, m) => {
    const [low, peak, high] = [edges[m]!, edges[m + 1]!, edges[m + 2]!];
    const height = 2 / (high - low);
    const weightAt = (bin: number): number => {
      const hz = bin * hzPerBin;
      return height * Math.max(0, Math.min((hz - low) / (peak - low), (high - hz) / (high - peak)));
    };
    const firstBin = Math.ceil(low / hzPerBin);
    const endBin = Math.min(bins, Math.floor(high / hzPerBin) + 1);
    return {
      firstBin,
      weights: Float64Array.from({ length: Math.max(0, endBin - firstBin) }, (_, i) =>
        weightAt(firstBin + i),
      ),
    };
  });
}
