import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Thread, threadEntry } from '../../src/flow/thread.ts';
import { openVad, SileroStream, type VoiceActivityDetector } from '../../src/speech/vad.ts';
import type { VadApi, VadThreadData } from '../../src/speech/vad-protocol.ts';
import { concat, noise, readWav, silence, tone } from '../support/audio.ts';

const MODEL = join(import.meta.dirname, '../../models/silero-vad/silero_vad_v6.onnx');
const FRAME = 512;

let vad: VoiceActivityDetector;
beforeAll(async () => {
  vad = await openVad(MODEL);
});
afterAll(() => vad.close());

const frames = (audio: Float32Array) => audio.subarray(0, audio.length - (audio.length % FRAME));
const speech = frames(readWav('austen-0880.wav'));
const share = (probabilities: Float32Array) =>
  probabilities.filter((p) => p > 0.5).length / probabilities.length;

describe('voice activity', () => {
  it('hears speech', async () => {
    expect(share(await vad.stream().probabilities(speech))).toBeGreaterThan(0.8);
  });

  it.each([
    ['silence', silence(2)],
    ['noise', noise(2, 0.05)],
    ['hum', tone(50, 2)],
    ['a beep', tone(1_000, 2)],
  ])('hears no speech in %s', async (_, audio) => {
    expect(share(await vad.stream().probabilities(frames(audio)))).toBe(0);
  });

  it('says the same however many frames come at a time', async () => {
    const whole = await vad.stream().probabilities(speech);
    const stream = vad.stream();
    const parts: Float32Array[] = [];
    for (let at = 0; at < speech.length; at += 3 * FRAME)
      parts.push(await stream.probabilities(speech.subarray(at, at + 3 * FRAME)));
    expect(concat(parts)).toEqual(whole);
  });

  it('keeps its streams apart', async () => {
    const whole = await vad.stream().probabilities(speech);
    const streams = [vad.stream(), vad.stream()] as const;
    const half = 40 * FRAME;
    const [first, other] = await Promise.all([
      streams[0].probabilities(speech.subarray(0, half)),
      streams[1].probabilities(frames(noise(2, 0.3))),
    ]);
    expect(other.length).toBeGreaterThan(0);
    const second = await streams[0].probabilities(speech.subarray(half));
    expect(concat([first, second])).toEqual(whole);
  });

  it('treats numbers too small to hear as silence', async () => {
    const tiny = new Float32Array(10 * FRAME).fill(1e-39);
    expect(await vad.stream().probabilities(tiny)).toEqual(
      await vad.stream().probabilities(new Float32Array(10 * FRAME)),
    );
  });

  it('refuses what is no whole number of frames', async () => {
    await expect(vad.stream().probabilities(new Float32Array(500))).rejects.toThrow(RangeError);
  });

  it('does not open without its model', async () => {
    await expect(openVad('/nowhere/silero.onnx')).rejects.toThrow();
  });

  it('loses nothing with its thread, between calls or in the middle of one', async () => {
    const whole = await vad.stream().probabilities(speech);
    const thread = new Thread<VadApi>(
      threadEntry(import.meta.resolve('../../src/speech/vad.ts'), './vad-worker.js'),
      {
        name: 'voice activity',
        data: { modelPath: MODEL } satisfies VadThreadData,
      },
    );
    const stream = new SileroStream(thread);
    const parts = [await stream.probabilities(speech.subarray(0, 20 * FRAME))];
    await thread.restart();
    parts.push(await stream.probabilities(speech.subarray(20 * FRAME, 40 * FRAME)));
    const rest = stream.probabilities(speech.subarray(40 * FRAME));
    await thread.restart();
    parts.push(await rest);
    await thread.close();
    expect(concat(parts)).toEqual(whole);
  });

  it('does not answer after it is closed', async () => {
    const short = await openVad(MODEL);
    const stream = short.stream();
    await stream.probabilities(silence(0.32));
    await short.close();
    await expect(stream.probabilities(silence(0.32))).rejects.toThrow('voice activity');
  });
});
