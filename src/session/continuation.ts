/** Hears what goes on from a cut: with the last words before it, which are then taken off again. */
import type { Word } from '../domain/event.ts';
import { SAMPLE_RATE_HZ } from '../domain/time.ts';
import type { Recogniser, Recognition } from '../whisper/recognition.ts';
import { type Carried, placesOf } from './seam.ts';

/** What joins a sentence that goes on to the words before the cut: it begins no utterance. */
const JOINT = /^[\s,.;:!?…、。，．·-]+/u;

/**
 * Where the first word that is new comes so late, or none in so much audio, speech was passed over: what was said
 * twice can be taken for the words before the cut the second time it is said.
 */
const PASSED_OVER_MS = 1_500;

/**
 * A recogniser for one utterance that begins at a cut. All but partials are asked for their words, whether these
 * are wanted or not.
 *
 * @param carried What the utterance before leaves to it; every request waits for that.
 * @param lead How many samples before the cut the audio of every request begins.
 */
export function continuing(
  recogniser: Recogniser,
  carried: Promise<Carried | null>,
  lead: number,
): Recogniser {
  // As it was where text was last settled, so that the prefix is what was heard then.
  let joint = '';
  return {
    modelName: recogniser.modelName,
    languages: recogniser.languages,
    keepsPrefix: recogniser.keepsPrefix,
    translates: recogniser.translates ?? false,
    load: () => recogniser.load(),
    close: () => recogniser.close(),
    async recognise(request, signal) {
      const before = await carried;
      signal?.throwIfAborted();
      const fromCut = { ...request, audio: request.audio.subarray(lead) };
      if (before === null) return recogniser.recognise(fromCut, signal);
      const again = Math.min(lead, before.lead);
      const audio = request.audio.subarray(lead - again);
      const prefix = request.prefix ? before.text + joint + request.prefix : before.text;
      const words = request.urgency !== 'partial';
      const heard = await recogniser.recognise({ ...request, audio, prefix, words }, signal);
      const rest = heard.text.slice(before.text.length);
      joint = JOINT.exec(rest)?.[0] ?? '';
      const told = after(heard, again, before.text.length + joint.length);
      const first = told.words?.[0];
      const silentMs = first ? first.startMs : told.text === '' ? msOf(fromCut.audio.length) : 0;
      if (!words || (told.suppressed === null && silentMs <= PASSED_OVER_MS)) return told;
      // Another beginning than that of the other requests: nothing of theirs holds for it.
      return recogniser.recognise({ ...fromCut, draft: [], utterance: null }, signal);
    },
  };
}

const msOf = (samples: number): number => Math.round((samples / SAMPLE_RATE_HZ) * 1000);

/** What was heard from character `at` on; the times count from the cut, `lead` samples after the audio's start. */
function after(heard: Recognition, lead: number, at: number): Recognition {
  const text = heard.text.slice(at);
  const places = heard.words && placesOf(heard.text, heard.words);
  if (!heard.words || !places) return { ...heard, text };
  const leadMs = msOf(lead);
  const words = heard.words.flatMap((word, index): Word[] => {
    const [from, to] = places[index]!;
    if (to <= at) return [];
    const onCut = (ms: number) => Math.max(0, ms - leadMs);
    const whole = heard.text.slice(Math.max(from, at), to);
    return [{ ...word, text: whole, startMs: onCut(word.startMs), endMs: onCut(word.endMs) }];
  });
  return { ...heard, text, words };
}
