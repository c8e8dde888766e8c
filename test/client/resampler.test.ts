import { describe, expect, it } from 'vitest';
import { levelOf, toPcm } from '../../src/client/microphone.ts';
import { Resampler } from '../../src/client/resampler.ts';

const tone = (hz: number, rateHz: number, seconds: number): Float32Array =>
  Float32Array.from({ length: Math.round(rateHz * seconds) }, (_, n) =>
    Math.sin((2 * Math.PI * hz * n) / rateHz),
  );

const joined = (parts: readonly Float32Array[]): Float32Array => {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};

function resample(input: Float32Array, fromHz: number, block: number): Float32Array {
  const resampler = new Resampler(fromHz, 16_000);
  const parts: Float32Array[] = [];
  for (let at = 0; at < input.length; at += block) parts.push(resampler.push(input.subarray(at, at + block)));
  return joined([...parts, resampler.flush()]);
}

describe('the resampler', () => {
  for (const rateHz of [8_000, 16_000, 22_050, 44_100, 48_000, 96_000])
    it(`brings a 1 kHz tone from ${rateHz} Hz to 16 kHz in its place and strength`, () => {
      const output = resample(tone(1_000, rateHz, 0.5), rateHz, 1024);
      const wanted = tone(1_000, 16_000, 0.5);
      expect(Math.abs(output.length - wanted.length)).toBeLessThanOrEqual(16);
      const middle = (signal: Float32Array) => signal.subarray(800, 7_000);
      const difference = middle(output).map((value, n) => value - middle(wanted)[n]!);
      expect(levelOf(difference).peak).toBeLessThan(0.002);
    });

  it('takes away what would fold back, by 60 dB and more', () => {
    for (const hz of [9_000, 12_000, 15_000, 20_000]) {
      const output = resample(tone(hz, 48_000, 0.5), 48_000, 1024);
      expect(levelOf(output.subarray(800, 7_000)).rms).toBeLessThan(0.001);
    }
  });

  it('gives the same samples however the input is cut', () => {
    const input = tone(440, 44_100, 0.3);
    expect(resample(input, 44_100, 128)).toEqual(resample(input, 44_100, 5_000));
    expect(resample(input, 44_100, 1)).toEqual(resample(input, 44_100, 5_000));
  });
});

describe('samples for the wire', () => {
  it('are clipped, not wrapped', () => {
    expect([...toPcm(Float32Array.of(0, 0.5, 1, -1, 1.5, -1.5))]).toEqual([
      0, 16_384, 32_767, -32_767, 32_767, -32_767,
    ]);
  });

  it('have a level between 0 and 1, also where there are none', () => {
    expect(levelOf(new Float32Array(0))).toEqual({ rms: 0, peak: 0 });
    expect(levelOf(Float32Array.of(0.5, -0.5))).toEqual({ rms: 0.5, peak: 0.5 });
  });
});
