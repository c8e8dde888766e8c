/** A second try, with a decoder that is caught in a loop unless chance takes it out. */
import { describe, expect, it } from 'vitest';
import type { SuppressionReason } from '../../src/domain/event.ts';
import { seeded } from '../../src/flow/chance.ts';
import { type DecoderPass, type DecodingRequest, decode } from '../../src/whisper/decoding.ts';
import { suppressionOf } from '../../src/whisper/guards.ts';
import type { Urgency } from '../../src/whisper/recognition.ts';
import { drawn } from '../../src/whisper/sampling.ts';
import { firstToPass } from '../../src/whisper/second-pass.ts';
import { toyConfig as config, END, NO_TIMESTAMPS, VOCABULARY } from './toy-decoder.ts';

const LOOPED = 1;
const SENTENCE = [2, 3, 4, 5];
const never = new AbortController().signal;
const request: DecodingRequest = {
  language: 'ko',
  likelyLanguage: null,
  prompt: [],
  prefix: [],
  draft: [],
  isTooNew: null,
  seconds: 3,
};

/**
 * Says one token for ever. The first token of a sentence is a little less probable at the start; once it is said,
 * the rest follows.
 */
function looping(loop: number, way: number): { pass: DecoderPass; passes: () => number } {
  const history: number[] = [];
  let passes = 0;
  const next = (): Float32Array => {
    const logits = new Float32Array(VOCABULARY).fill(-40);
    const said = history.slice(history.indexOf(NO_TIMESTAMPS) + 1);
    if (said.length === 0) {
      logits[LOOPED] = loop;
      logits[SENTENCE[0]!] = way;
    } else if (said[0] === SENTENCE[0]) logits[SENTENCE[said.length] ?? END] = 20;
    else logits[LOOPED] = 20;
    return logits;
  };
  const pass: DecoderPass = async (tokens, position, rows) => {
    passes++;
    history.length = position;
    const all = tokens.map((token) => {
      history.push(token);
      return next();
    });
    return rows.map((row) => all[row]!);
  };
  return { pass, passes: () => passes };
}

/** What a model makes of a decoder: greedy first, then as the second pass asks. */
async function heardBy(pass: DecoderPass, urgency: Urgency, seed: number) {
  const random = seeded(seed);
  const temperatures: number[] = [];
  const attempt = async (temperature: number | null) => {
    const decoding = await decode(
      pass,
      config,
      request,
      never,
      temperature === null ? undefined : (row, count) => drawn(row, count, temperature, random),
    );
    const { tokens, stop, language, noSpeechProbability, logProbabilities } = decoding;
    const meanLogProbability =
      logProbabilities.reduce((sum, value) => sum + value, 0) / logProbabilities.length;
    const suppressed = suppressionOf({
      text: tokens.join(' '),
      stop,
      meanLogProbability,
      noSpeechProbability,
      seconds: request.seconds,
      language,
      likelyLanguage: null,
    });
    return { tokens, heard: { suppressed, meanLogProbability } };
  };
  const result = await firstToPass(await attempt(null), urgency, (temperature) => {
    temperatures.push(temperature);
    return attempt(temperature);
  });
  return { ...result, temperatures };
}

/** A seed with which the sentence is drawn at 0.4. */
const LUCKY = 2;

describe('a loop', () => {
  it('that chance leaves at 0.4 is left in a final', async () => {
    const { pass } = looping(1, 0.8);
    const { tokens, heard, temperatures } = await heardBy(pass, 'final', LUCKY);
    expect({ tokens, suppressed: heard.suppressed, temperatures }).toEqual({
      tokens: SENTENCE,
      suppressed: null,
      temperatures: [0.4],
    });
  });

  it('that chance does not leave is withheld, with the greedy text', async () => {
    const { pass } = looping(30, 0);
    const greedy = await heardBy(pass, 'partial', LUCKY);
    expect(greedy.heard.suppressed).toBe('repetition');
    expect(await heardBy(pass, 'final', LUCKY)).toEqual({ ...greedy, temperatures: [0.4] });
    expect(await heardBy(pass, 'recording', LUCKY)).toEqual({ ...greedy, temperatures: [0.2, 0.6, 1] });
  });

  it('is left the same way each time', async () => {
    const again = () => heardBy(looping(1, 0.8).pass, 'recording', LUCKY);
    expect(await again()).toEqual(await again());
  });
});

describe('another try', () => {
  const greedy = (suppressed: SuppressionReason | null) => ({
    heard: { suppressed, meanLogProbability: -0.3 },
    text: 'greedy',
  });

  /** Temperatures tried where none of the tries passes. */
  async function tried(suppressed: SuppressionReason | null, urgency: Urgency): Promise<number[]> {
    const temperatures: number[] = [];
    const kept = await firstToPass(greedy(suppressed), urgency, async (temperature) => {
      temperatures.push(temperature);
      return { ...greedy('repetition'), text: 'another' };
    });
    expect(kept.text).toBe('greedy');
    return temperatures;
  }

  const REASONS: Record<SuppressionReason | 'none', boolean> = {
    none: false,
    no_speech: false,
    language_flip: false,
    too_many_tokens: true,
    repetition: true,
    compression_ratio: true,
    low_confidence: false,
  };
  it.each(Object.entries(REASONS))('after %s: %s', async (reason, expected) => {
    const suppressed = reason === 'none' ? null : (reason as SuppressionReason);
    expect(await tried(suppressed, 'final')).toEqual(expected ? [0.4] : []);
    expect(await tried(suppressed, 'recording')).toEqual(expected ? [0.2, 0.6, 1] : []);
    expect(await tried(suppressed, 'partial')).toEqual([]);
  });

  it('is the last once one passes', async () => {
    const temperatures: number[] = [];
    const kept = await firstToPass(greedy('repetition'), 'recording', async (temperature) => {
      temperatures.push(temperature);
      return { ...greedy(temperature < 0.5 ? 'repetition' : null), text: 'another' };
    });
    expect(temperatures).toEqual([0.2, 0.6]);
    expect(kept.text).toBe('another');
  });

  it('that is not sure of itself is not kept', async () => {
    const kept = await firstToPass(greedy('repetition'), 'recording', async () => ({
      heard: { suppressed: null, meanLogProbability: -0.8 },
      text: 'another',
    }));
    expect(kept.text).toBe('greedy');
  });

  it('costs no pass where no guard fires', async () => {
    const { pass, passes } = looping(0, 20);
    await heardBy(pass, 'recording', LUCKY);
    expect(passes()).toBe(SENTENCE.length + 1);
  });
});
