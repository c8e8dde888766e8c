/** A minute of real speech without a pause, cut every few seconds: no word is lost or doubled at a cut. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DurableDraft } from '../../src/domain/event.ts';
import { samples } from '../../src/domain/time.ts';
import { pipeline } from '../../src/session/pipeline.ts';
import { openVad, type VoiceActivityDetector } from '../../src/speech/vad.ts';
import type { Recogniser } from '../../src/whisper/recognition.ts';
import { differences, near } from '../support/alignment.ts';
import { concat, pieces, readWav } from '../support/audio.ts';
import { withoutPauses } from '../support/pauseless.ts';
import { sharedRecogniser } from '../support/recogniser.ts';
import { plain, TRANSCRIPTS } from '../support/speech.ts';

/** The longest utterance there may be. */
const MAX_MS = 5_000;
/** What is left of a pause: less than between two words. Plain cuts add and lose words in it. */
const KEPT_MS = 20;
/** Words on either side of a cut that must all be there, once. */
const REACH = 3;
const ORDER = ['0870', '0880', '0920', '0880', '0870', '0920', '0870', '0920', '0880', '0870'];

let vad: VoiceActivityDetector;
let recogniser: Recogniser;
beforeAll(async () => {
  vad = await openVad(join(import.meta.dirname, '../../models/silero-vad/silero_vad_v6.onnx'));
  recogniser = await sharedRecogniser();
});
afterAll(() => vad.close());

type Final = Extract<DurableDraft, { type: 'transcript.final' }>;

async function heard(audio: Float32Array, urgency: 'final' | 'recording'): Promise<Final[]> {
  async function* frames() {
    yield* pieces(audio, 8_000);
  }
  let id = 0;
  const settings = {
    from: samples(0),
    language: 'en',
    prompt: null,
    partials: urgency === 'final',
    words: true,
    urgency,
    finalsAtOnce: 2,
    endpointing: { silenceMs: 500, maxUtteranceMs: MAX_MS },
  };
  const parts = { vad, recogniser, newId: (prefix: string) => `${prefix}_${id++}` };
  const finals: Final[] = [];
  const shown = new Map<string, string[]>();
  for await (const output of pipeline(frames(), parts, settings, new AbortController().signal)) {
    if (output.kind !== 'event') continue;
    const { draft } = output;
    expect(draft.type).not.toBe('transcript.suppressed');
    if (draft.type === 'transcript.partial')
      shown.set(draft.utteranceId, [
        ...(shown.get(draft.utteranceId) ?? []),
        draft.text.slice(0, draft.stableChars),
      ]);
    if (draft.type !== 'transcript.final') continue;
    for (const stable of shown.get(draft.utteranceId) ?? []) expect(draft.text.startsWith(stable)).toBe(true);
    finals.push(draft);
  }
  return finals;
}

const wordsOf = (text: string): string[] => plain(text).split(' ').filter(Boolean);

/** How many words stand before the cut after each final, and all words heard. */
function counted(finals: readonly Final[]): { words: string[]; cuts: number[] } {
  const words: string[] = [];
  const cuts = finals.map(({ text }) => words.push(...wordsOf(text)));
  return { words, cuts: cuts.slice(0, -1) };
}

describe('speech without a pause', () => {
  const audio = concat(ORDER.map((name) => withoutPauses(readWav(`austen-${name}.wav`), KEPT_MS)));
  const said = ORDER.flatMap((name) => wordsOf(TRANSCRIPTS[`austen-${name}.wav`]!.text));

  it.each(['recording', 'final'] as const)('is cut without loss (%s)', async (urgency) => {
    const finals = await heard(audio, urgency);
    expect(finals.length).toBeGreaterThanOrEqual(6);
    let cutsInSpeech = 0;
    for (const [at, { startMs, endMs, text, words }] of finals.entries()) {
      const next = finals[at + 1];
      if (next) expect(next.startMs).toBeGreaterThanOrEqual(endMs);
      if (next?.startMs === endMs) cutsInSpeech++;
      expect(endMs - startMs).toBeLessThanOrEqual(MAX_MS);
      expect(words!.map((word) => word.text).join(' ')).toBe(text);
      for (const word of words!) {
        expect(word.startMs).toBeGreaterThanOrEqual(startMs);
        expect(word.endMs).toBeLessThanOrEqual(endMs);
      }
    }
    expect(cutsInSpeech).toBeGreaterThanOrEqual(8);
    const { words, cuts } = counted(finals);
    const found = differences(words, said);
    for (const cut of cuts)
      expect(near(found, cut, REACH).filter(({ kind }) => kind !== 'changed')).toEqual([]);
    expect(found.length / said.length).toBeLessThan(0.05);
  });
});
