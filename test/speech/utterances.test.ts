import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMIT, type DecodedInput, DISCARD } from '../../src/audio/input.ts';
import { SAMPLE_RATE_HZ } from '../../src/domain/time.ts';
import { type SpeechEvent, utterances } from '../../src/speech/utterances.ts';
import { openVad, type VadStream, type VoiceActivityDetector } from '../../src/speech/vad.ts';
import { collect, concat, noise, pieces, readWav, silence, tone } from '../support/audio.ts';

const OPTIONS = { silenceMs: 500, maxUtteranceMs: 20_000 };
const seconds = (s: number) => s * SAMPLE_RATE_HZ;
/** What an utterance has before and after its speech. */
const LEAD = seconds(0.224);
const TAIL = seconds(0.192);

let vad: VoiceActivityDetector;
beforeAll(async () => {
  vad = await openVad(join(import.meta.dirname, '../../models/silero-vad/silero_vad_v6.onnx'));
});
afterAll(() => vad.close());

async function* from(items: Iterable<DecodedInput>): AsyncGenerator<DecodedInput> {
  yield* items;
}

const find = (items: Iterable<DecodedInput>, stream: VadStream = vad.stream(), options = OPTIONS) =>
  collect(utterances(from(items), stream, options));

/** Where the audio of an event ends. */
const heardUntil = (event: Of<'growing' | 'pausing' | 'ended'>) =>
  event.kind === 'ended' ? event.to : event.end;

type Of<K extends SpeechEvent['kind']> = Extract<SpeechEvent, { kind: K }>;
const only = <K extends SpeechEvent['kind']>(events: readonly SpeechEvent[], kind: K): Of<K>[] =>
  events.filter((event): event is Of<K> => event.kind === kind);

/** Where the sound is well above the recording's own noise, from the first 30 ms of it (a click is shorter) to the last 10. */
function energyBounds(audio: Float32Array): { start: number; end: number } {
  const window = SAMPLE_RATE_HZ / 100;
  const levels = [...pieces(audio, window)].map((part) => Math.hypot(...part) / Math.sqrt(part.length));
  const threshold = 0.08 * Math.max(...levels);
  const isLoud = (level: number) => level > threshold;
  const first = levels.findIndex((_, i) => levels.slice(i, i + 3).every(isLoud));
  return { start: first * window, end: (levels.findLastIndex(isLoud) + 1) * window };
}

describe('utterances in real speech', () => {
  const clips = ['austen-0870.wav', 'austen-0880.wav', 'austen-0920.wav'].map(readWav);
  const gap = noise(1.5, 0.0005);
  const audio = concat([gap, ...clips.flatMap((clip) => [clip, gap])]);

  it('begin and end where the sound does, but for a lead and a tail', async () => {
    const found = only(await find(pieces(audio, 320)), 'ended');
    let at = gap.length;
    const truth = clips.map((clip) => {
      const { start, end } = energyBounds(clip);
      const bounds = { start: at + start, end: at + end };
      at += clip.length + gap.length;
      return bounds;
    });
    expect(found.map(({ endedBy }) => endedBy)).toEqual(['silence', 'silence', 'silence']);
    for (const [i, { start, end }] of truth.entries()) {
      expect(Math.abs(found[i]!.start + LEAD - start)).toBeLessThan(seconds(0.1));
      expect(Math.abs(found[i]!.end - TAIL - end)).toBeLessThan(seconds(0.2));
    }
  });

  it('are the same however the audio arrives', async () => {
    const tell = (events: SpeechEvent[]) =>
      only(events, 'ended').map(({ start, end, endedBy }) => [start, end, endedBy]);
    const whole = tell(await find([audio]));
    expect(whole).toHaveLength(3);
    for (const size of [160, 511, 512, 7_777]) expect(tell(await find(pieces(audio, size)))).toEqual(whole);
  });

  it('carry the very samples they name', async () => {
    for (const event of await find(pieces(audio, 1_000)))
      if (event.kind === 'growing' || event.kind === 'pausing' || event.kind === 'ended')
        expect(
          Buffer.from(event.audio.slice().buffer).equals(
            Buffer.from(audio.slice(event.from, heardUntil(event)).buffer),
          ),
        ).toBe(true);
  });

  it('end at once on a commit, and the rest is an utterance of its own', async () => {
    const cut = gap.length + seconds(2) + 77;
    const found = only(await find([audio.subarray(0, cut), COMMIT, audio.subarray(cut)]), 'ended');
    expect(found[0]).toMatchObject({ end: cut, endedBy: 'commit' });
    expect(found[1]!.start).toBeGreaterThanOrEqual(cut);
    expect(found).toHaveLength(4);
  });

  it('are dropped at a discard, and nothing of them is heard with what comes', async () => {
    const cut = gap.length + seconds(2) + 77;
    const found = only(await find([audio.subarray(0, cut), DISCARD, audio.subarray(cut)]), 'ended');
    expect(found[0]).toMatchObject({ end: cut, endedBy: 'discard' });
    expect(found[1]!.from).toBeGreaterThanOrEqual(cut);
    expect(found).toHaveLength(4);
  });

  it('end with the audio', async () => {
    const end = gap.length + seconds(2) + 77;
    const found = only(await find(pieces(audio.subarray(0, end), 320)), 'ended');
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ end, endedBy: 'end' });
  });

  it('are cut where they get too long, with no sample lost or doubled', async () => {
    const speech = concat([clips[0]!, clips[2]!]);
    const found = only(
      await find(pieces(speech, 320), vad.stream(), { silenceMs: 5_000, maxUtteranceMs: 4_000 }),
      'ended',
    );
    expect(found.length).toBeGreaterThanOrEqual(3);
    for (const [i, { start, end, endedBy }] of found.entries()) {
      expect(end - start).toBeLessThanOrEqual(seconds(4));
      const next = found[i + 1];
      if (next && endedBy === 'length') expect(next.start).toBeGreaterThanOrEqual(end);
    }
    for (const [i, { start, end, from, to }] of found.entries()) {
      const before = found[i - 1];
      const goesOn = before?.end === start && before.to > before.end;
      expect(from < start).toBe(goesOn);
      expect(to > end).toBe(found[i + 1]?.start === end);
    }
    const cuts = found.filter(
      ({ endedBy }, i) => endedBy === 'length' && found[i + 1]?.start === found[i]!.end,
    );
    expect(cuts.length).toBeGreaterThan(0);
  });
});

describe('no utterance', () => {
  it.each([
    ['silence', silence(5)],
    ['hum', tone(50, 5)],
    ['noise', noise(5, 0.1)],
    ['a click', concat([silence(1), tone(2_000, 0.02), silence(1)])],
    ['nothing at all', new Float32Array(0)],
  ])('is found in %s', async (_, audio) => {
    const events = await find([audio, COMMIT]);
    expect(events.filter(({ kind }) => kind !== 'settled')).toEqual([{ kind: 'committed' }]);
    expect(only(events, 'settled').at(-1)?.until ?? 0).toBe(audio.length);
  });
});

/** A detector that reads the probability off the audio itself. */
const transparent: VadStream = {
  probabilities: async (audio) =>
    Float32Array.from({ length: audio.length / 512 }, (_, i) => audio[i * 512]!),
};

describe('any audio', () => {
  const stretches = fc.array(
    fc.record({
      level: fc.constantFrom(0, 0.2, 0.4, 0.6, 1),
      length: fc.integer({ min: 1, max: 20_000 }),
      commit: fc.boolean(),
    }),
    { maxLength: 20 },
  );

  it('gives every utterance a beginning and an end, and settles in step', async () => {
    await fc.assert(
      fc.asyncProperty(stretches, fc.integer({ min: 50, max: 30_000 }), async (parts, size) => {
        const items = parts.flatMap<DecodedInput>(({ level, length, commit }) => {
          const chunks: DecodedInput[] = [...pieces(new Float32Array(length).fill(level), size)];
          return commit ? [...chunks, COMMIT] : chunks;
        });
        const total = parts.reduce((sum, { length }) => sum + length, 0);
        const events = await find(items, transparent, { silenceMs: 300, maxUtteranceMs: 2_000 });
        let open: number | null = null;
        let settled = 0;
        let commits = 0;
        for (const event of events)
          if (event.kind === 'committed') {
            expect(open).toBeNull();
            commits++;
          } else if (event.kind === 'settled') {
            expect(event.until).toBeGreaterThan(settled);
            if (open !== null) expect(event.until).toBeLessThanOrEqual(open);
            settled = event.until;
          } else {
            expect(event.start).toBeGreaterThanOrEqual(settled);
            if (event.kind === 'started') {
              expect(open).toBeNull();
              open = event.start;
            } else {
              expect(event.start).toBe(open);
              expect(event.from).toBeLessThanOrEqual(event.start);
              expect(event.audio).toHaveLength(heardUntil(event) - event.from);
              expect(event.end).toBeLessThanOrEqual(total);
              if (event.kind === 'ended') open = null;
            }
          }
        expect(open).toBeNull();
        expect(settled).toBe(total);
        expect(commits).toBe(items.filter((item) => item === COMMIT).length);
      }),
      { numRuns: 100 },
    );
  });

  it('is forgotten when nobody speaks: an hour of silence takes no more memory than a minute', async () => {
    const second = silence(1);
    function* hour() {
      for (let i = 0; i < 3_600; i++) yield second;
    }
    const before = process.memoryUsage().arrayBuffers;
    let peak = 0;
    let last = 0;
    for await (const event of utterances(from(hour()), transparent, OPTIONS)) {
      if (event.kind === 'settled') last = event.until;
      peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
    }
    expect(last).toBe(seconds(3_600));
    expect(peak).toBeLessThan(100e6);
  });

  it('passes on what the detector throws', async () => {
    const broken: VadStream = { probabilities: () => Promise.reject(new Error('the detector is gone')) };
    await expect(find([silence(1)], broken)).rejects.toThrow('the detector is gone');
  });
});
