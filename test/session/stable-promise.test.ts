/** What was shown as settled stays: of real speech, spoken live, no later partial and no final takes it back. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { samples } from '../../src/domain/time.ts';
import { pipeline } from '../../src/session/pipeline.ts';
import { openVad, type VoiceActivityDetector } from '../../src/speech/vad.ts';
import type { Recogniser } from '../../src/whisper/recognition.ts';
import { concat, pieces, readWav, silence } from '../support/audio.ts';
import { sharedRecogniser } from '../support/recogniser.ts';

let vad: VoiceActivityDetector;
let recogniser: Recogniser;
beforeAll(async () => {
  vad = await openVad(join(import.meta.dirname, '../../models/silero-vad/silero_vad_v6.onnx'));
  recogniser = await sharedRecogniser();
});
afterAll(() => vad.close());

const PIECE = 800;

it('settles words while they are spoken, and never takes one back', async () => {
  const speech = ['0870', '0880', '0920'].flatMap((name) => [readWav(`austen-${name}.wav`), silence(1)]);
  const settings = {
    from: samples(0),
    language: null,
    prompt: null,
    partials: true,
    words: false,
    urgency: 'final',
    finalsAtOnce: 2,
    endpointing: { silenceMs: 500, maxUtteranceMs: 20_000 },
  } as const;
  let id = 0;
  const parts = { vad, recogniser, newId: (prefix: string) => `${prefix}_${id++}` };
  async function* spoken() {
    for (const piece of pieces(concat(speech), PIECE)) {
      yield piece;
      // As much time as a hypothesis needs, so that there are as many as in real time.
      while (recogniser.load().running > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  const promised = new Map<string, string>();
  let violations = 0;
  let settledWords = 0;
  let finals = 0;
  for await (const output of pipeline(spoken(), parts, settings, new AbortController().signal)) {
    if (output.kind !== 'event') continue;
    const { draft } = output;
    if (draft.type !== 'transcript.partial' && draft.type !== 'transcript.final') continue;
    const before = promised.get(draft.utteranceId) ?? '';
    if (!draft.text.startsWith(before)) violations++;
    if (draft.type === 'transcript.partial')
      promised.set(draft.utteranceId, draft.text.slice(0, draft.stableChars));
    else {
      finals++;
      settledWords += before.split(' ').filter(Boolean).length;
    }
  }
  expect({ violations, finals }).toEqual({ violations: 0, finals: 3 });
  expect(settledWords).toBeGreaterThan(0);
});
