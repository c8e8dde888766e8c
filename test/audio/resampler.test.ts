import { describe, expect, it } from 'vitest';
import { Resampler } from '../../src/audio/resampler.ts';
import { concat, pieces, same, tone } from '../support/audio.ts';

async function convert(audio: Float32Array, rateHz: number, size: number) {
  const resampler = await Resampler.open(rateHz);
  const parts: Float32Array[] = [];
  let received = 0;
  let emitted = 0;
  let ahead = 0;
  for (const piece of pieces(audio, size)) {
    const part = resampler.push(piece);
    received += piece.length;
    emitted += part.length;
    ahead = Math.max(ahead, emitted - (received * 16_000) / rateHz);
    parts.push(part);
  }
  parts.push(resampler.flush());
  resampler.close();
  return { output: concat(parts), ahead };
}

describe('resampling to 16 kHz', () => {
  const rates = [4_000, 8_000, 11_025, 15_999, 16_000, 22_050, 44_100, 48_000, 192_000];

  it.each(rates.flatMap((rateHz) => [160, 4_096].map((size) => [rateHz, size] as const)))(
    'keeps the time of a tone at %i Hz given %i samples at a time',
    async (rateHz, size) => {
      const input = tone(440, 0.2731, rateHz);
      const { output, ahead } = await convert(input, rateHz, size);
      expect(output).toHaveLength(Math.round((input.length * 16_000) / rateHz));
      expect(ahead).toBeLessThanOrEqual(0);
      const expected = tone(440, 1);
      const middle = [...output.keys()].slice(400, -400);
      expect(Math.max(...middle.map((i) => Math.abs(output[i]! - expected[i]!)))).toBeLessThan(1e-4);
    },
  );

  it('gives the same for single samples as for all at once', async () => {
    const input = tone(1_000, 0.1, 44_100);
    const { output } = await convert(input, 44_100, 1);
    expect(same(output, (await convert(input, 44_100, input.length)).output)).toBe(true);
  });

  it('removes what 16 kHz cannot hold', async () => {
    const { output } = await convert(tone(12_000, 0.5, 48_000), 48_000, 960);
    expect(Math.max(...output.slice(400, -400).map(Math.abs))).toBeLessThan(1e-3);
  });

  it('stays within −1…1 where the filter overshoots', async () => {
    const square = tone(300, 0.2, 48_000, 1).map(Math.sign);
    const { output } = await convert(square, 48_000, 480);
    expect(Math.max(...output.map(Math.abs))).toBeLessThanOrEqual(1);
  });

  it('gives nothing for nothing', async () => {
    expect((await convert(new Float32Array(0), 48_000, 480)).output).toHaveLength(0);
  });
});
