import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DecoderPass, type DecodingRequest, decode } from '../../src/whisper/decoding.ts';
import type { WhisperConfig } from '../../src/whisper/weights/config.ts';
import {
  toyConfig as config,
  EN,
  END,
  KO,
  NO_SPEECH,
  NO_TIMESTAMPS,
  PREVIOUS,
  START,
  TIMESTAMP,
  TRANSCRIBE,
  VOCABULARY,
} from './toy-decoder.ts';

const english: WhisperConfig = {
  ...config,
  languages: {},
  tokens: { ...config.tokens, transcribe: null, translate: null },
};

/** Logits by token, given all tokens so far; those not named are 0. */
type Script = (history: readonly number[]) => Record<number, number>;

/** A decoder that follows a script, and remembers what it was fed. */
function scripted(script: Script): { pass: DecoderPass; fed: number[][]; history: number[] } {
  const fed: number[][] = [];
  const history: number[] = [];
  const pass: DecoderPass = async (tokens, position, rows) => {
    expect(position).toBeLessThanOrEqual(history.length);
    history.length = position;
    history.push(...tokens);
    fed.push([...tokens]);
    return rows.map((row) => {
      const logits = new Float32Array(VOCABULARY);
      for (const [token, logit] of Object.entries(script(history.slice(0, position + row + 1))))
        logits[Number(token)] = logit;
      return logits;
    });
  };
  return { pass, fed, history };
}

/** Says the tokens one after the other once the start tokens are in, then ends. */
const saying =
  (...text: readonly number[]): Script =>
  (history) => {
    const said = history.length - 1 - history.indexOf(NO_TIMESTAMPS);
    return { [text[said] ?? END]: 20 };
  };

const request: DecodingRequest = {
  language: 'ko',
  likelyLanguage: null,
  prompt: [],
  prefix: [],
  draft: [],
  isTooNew: null,
  seconds: 3,
};
const never = new AbortController().signal;

describe('greedy decoding', () => {
  it('takes the most probable token until the end mark', async () => {
    const { pass, history } = scripted(saying(1, 2, 3));
    const decoding = await decode(pass, config, request, never);
    expect(decoding).toMatchObject({
      tokens: [1, 2, 3],
      stop: 'end',
      language: 'ko',
      languageProbability: 1,
    });
    expect(history).toEqual([START, KO, TRANSCRIBE, NO_TIMESTAMPS, 1, 2, 3]);
  });

  it('feeds a known language and the start tokens in one pass, then token by token', async () => {
    const { pass, fed } = scripted(saying(1, 2));
    await decode(pass, config, request, never);
    expect(fed).toEqual([[START, KO, TRANSCRIBE, NO_TIMESTAMPS], [1], [2]]);
  });

  it('checks the rest of a draft along with the token that was exchanged in it', async () => {
    const { pass, fed, history } = scripted(saying(1, 2, 3, 4, 5, 6));
    const { tokens } = await decode(pass, config, { ...request, draft: [1, 8, 3, 4, 5] }, never);
    expect(tokens).toEqual([1, 2, 3, 4, 5, 6]);
    expect(fed.slice(1)).toEqual([[2, 3, 4, 5], [6]]);
    expect(history).toEqual([START, KO, TRANSCRIBE, NO_TIMESTAMPS, 1, 2, 3, 4, 5, 6]);
  });

  it('says the same whatever the draft', async () => {
    const token = fc.integer({ min: 1, max: 8 });
    // No token twice: nothing that could be taken for a loop.
    const text = fc.uniqueArray(token, { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(text, fc.array(token, { maxLength: 12 }), async (said, draft) => {
        const { pass, history } = scripted(saying(...said));
        const { tokens } = await decode(pass, config, { ...request, draft }, never);
        expect(tokens).toEqual(said);
        expect(history.slice(0, 4 + said.length)).toEqual([START, KO, TRANSCRIBE, NO_TIMESTAMPS, ...said]);
      }),
    );
  });

  it('drafts what was too new for the next time', async () => {
    const { pass } = scripted(saying(1, 2, 3));
    let rows = 0;
    const isTooNew = () => rows++ >= 2;
    const decoding = await decode(pass, config, { ...request, isTooNew }, never);
    expect(decoding).toMatchObject({ tokens: [1, 2], draft: [1, 2, 3], stop: 'too_new' });
  });

  it('checks a draft in one pass and decodes on from the first token that does not hold', async () => {
    const { pass, fed, history } = scripted(saying(1, 2, 3, 4));
    const { tokens } = await decode(pass, config, { ...request, draft: [1, 2, 5, 6] }, never);
    expect(tokens).toEqual([1, 2, 3, 4]);
    expect(fed).toEqual([[START, KO, TRANSCRIBE, NO_TIMESTAMPS, 1, 2, 5, 6], [3, 6], [4]]);
    expect(history).toEqual([START, KO, TRANSCRIBE, NO_TIMESTAMPS, 1, 2, 3, 4]);
  });

  it('needs no further pass for a draft that holds to its end', async () => {
    const { pass, fed } = scripted(saying(1, 2, 3));
    const { tokens } = await decode(pass, config, { ...request, language: null, draft: [1, 2, 3] }, never);
    expect(tokens).toEqual([1, 2, 3]);
    expect(fed.length).toBe(2);
  });

  it('drops a draft that does not begin with the prefix, and checks the rest of one that does', async () => {
    const other = scripted(saying(1, 2, 3));
    await decode(other.pass, config, { ...request, prefix: [1], draft: [2, 3] }, never);
    expect(other.fed[0]).toEqual([START, KO, TRANSCRIBE, NO_TIMESTAMPS, 1]);
    const same = scripted(saying(1, 2, 3));
    expect(
      (await decode(same.pass, config, { ...request, prefix: [1], draft: [1, 2, 3] }, never)).tokens,
    ).toEqual([1, 2, 3]);
    expect(same.fed.length).toBe(1);
  });

  it('gives the same with any draft as without', async () => {
    const token = fc.integer({ min: 1, max: 8 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(token, { maxLength: 9 }),
        fc.array(token, { maxLength: 9 }),
        async (text, draft) => {
          const without = await decode(scripted(saying(...text)).pass, config, request, never);
          const given = await decode(scripted(saying(...text)).pass, config, { ...request, draft }, never);
          expect(given).toEqual(without);
        },
      ),
    );
  });

  it('gives the probability of each chosen token, the end mark included', async () => {
    const { pass } = scripted((history) =>
      history.at(-1) === NO_TIMESTAMPS ? { 1: Math.log(12), 2: Math.log(6) } : { [END]: 20 },
    );
    const { logProbabilities } = await decode(pass, config, request, never);
    // Of tokens 0–10, three are ruled out: 12 / (12 + 6 + 6 others).
    expect(Math.exp(logProbabilities[0]!)).toBeCloseTo(0.5, 5);
    expect(Math.exp(logProbabilities[1]!)).toBeCloseTo(1, 5);
  });

  it('never takes a suppressed, special or timestamp token', async () => {
    const { pass } = scripted((history) => ({
      9: 30,
      [NO_SPEECH]: 40,
      [TIMESTAMP + 2]: 50,
      ...saying(1)(history),
    }));
    expect((await decode(pass, config, request, never)).tokens).toEqual([1]);
  });

  it('does not begin with the end mark, and may end right after the first token', async () => {
    const { pass } = scripted((history) => ({
      ...(history.at(-1) === NO_TIMESTAMPS && { 4: 1 }),
      [END]: 20,
    }));
    expect((await decode(pass, config, request, never)).tokens).toEqual([4]);
  });

  it('detects the language from the first row, among the languages only', async () => {
    const { pass, fed } = scripted((history) =>
      history.at(-1) === START ? { 3: 90, [EN]: 0, [KO]: Math.log(4) } : saying(1)(history),
    );
    const decoding = await decode(pass, config, { ...request, language: null }, never);
    expect(decoding.language).toBe('ko');
    expect(decoding.languageProbability).toBeCloseTo(0.8, 5);
    expect(fed.slice(0, 2)).toEqual([[START], [KO, TRANSCRIBE, NO_TIMESTAMPS]]);
  });

  it.each([
    ['in one pass where it is the language heard', KO, [[START, KO, TRANSCRIBE, NO_TIMESTAMPS, 1, 2]]],
    [
      'and again behind the language that is',
      EN,
      [
        [START, KO, TRANSCRIBE, NO_TIMESTAMPS, 1, 2],
        [EN, TRANSCRIBE, NO_TIMESTAMPS, 1, 2],
      ],
    ],
  ])('feeds the language to expect %s', async (_, spoken, passes) => {
    const { pass, fed, history } = scripted((before) =>
      before.at(-1) === START ? { [spoken]: 50 } : saying(1, 2)(before),
    );
    const asked = { ...request, language: null, likelyLanguage: 'ko', draft: [1, 2] };
    const { tokens, language } = await decode(pass, config, asked, never);
    expect({ tokens, language }).toEqual({ tokens: [1, 2], language: spoken === KO ? 'ko' : 'en' });
    expect(fed).toEqual(passes);
    expect(history).toEqual([START, spoken, TRANSCRIBE, NO_TIMESTAMPS, 1, 2]);
  });

  it('leaves out what was chosen by sound too new to be sure of, drafted or not', async () => {
    const { pass, fed } = scripted(saying(1, 2, 3, 4));
    let last: number[] = [];
    const heeding: DecoderPass = (tokens, position, rows) => {
      last = [...tokens];
      return pass(tokens, position, rows);
    };
    // The token behind 2, whichever pass it was in, is chosen by the newest sound.
    const isTooNew = (row: number) => last[row] === 2;
    for (const draft of [[], [1, 2, 3, 4]]) {
      const asked = { ...request, draft, isTooNew };
      expect(await decode(heeding, config, asked, never)).toMatchObject({ tokens: [1, 2], stop: 'too_new' });
    }
    expect(fed.slice(0, 3)).toEqual([[START, KO, TRANSCRIBE, NO_TIMESTAMPS], [1], [2]]);
  });

  it('ends where the model does, however new the sound', async () => {
    const { pass } = scripted(saying());
    const saysNothing = (history: readonly number[]) => (history.at(-1) === NO_TIMESTAMPS ? { 4: 1 } : {});
    const { pass: short } = scripted((history) => ({ ...saysNothing(history), [END]: 20 }));
    const isTooNew = (row: number) => row > 3;
    expect(await decode(short, config, { ...request, isTooNew }, never)).toMatchObject({ stop: 'end' });
    expect(await decode(pass, config, { ...request, isTooNew: () => true }, never)).toMatchObject({
      tokens: [],
      stop: 'too_new',
    });
  });

  it.each(['ko', null])(
    'reads the probability of no speech at the start mark (language %s)',
    async (language) => {
      const { pass } = scripted((history) =>
        history.at(-1) === START ? { [NO_SPEECH]: Math.log(69) } : saying(1)(history),
      );
      const prompted = { ...request, language, prompt: [5, 6] };
      expect((await decode(pass, config, prompted, never)).noSpeechProbability).toBeCloseTo(69 / 92, 5);
    },
  );

  it('gives an English-only model neither language nor task', async () => {
    const { pass, fed } = scripted(saying(1));
    expect((await decode(pass, english, { ...request, language: null }, never)).language).toBe('en');
    expect(fed[0]).toEqual([START, NO_TIMESTAMPS]);
  });

  it('refuses a language the model does not know', async () => {
    const { pass } = scripted(saying(1));
    await expect(decode(pass, config, { ...request, language: 'xx' }, never)).rejects.toThrow(RangeError);
  });

  it('puts the prompt before the start and the prefix behind it', async () => {
    const { pass, fed } = scripted((history) => (history.at(-1) === 8 ? { 1: 20 } : { [END]: 20 }));
    const decoding = await decode(pass, config, { ...request, prompt: [5, 6], prefix: [7, 8] }, never);
    expect(fed[0]).toEqual([PREVIOUS, 5, 6, START, KO, TRANSCRIBE, NO_TIMESTAMPS, 7, 8]);
    expect(decoding.tokens).toEqual([7, 8, 1]);
    expect(decoding.logProbabilities).toHaveLength(2);
  });

  it('may end right behind a prefix', async () => {
    const { pass } = scripted(() => ({ [END]: 20 }));
    expect((await decode(pass, config, { ...request, prefix: [7] }, never)).tokens).toEqual([7]);
  });

  it('keeps the end of a prompt that is longer than half the context', async () => {
    const { pass, fed } = scripted(saying(1));
    const prompt = Array.from({ length: 600 }, (_, i) => i % 7);
    await decode(pass, config, { ...request, prompt }, never);
    expect(fed[0]).toEqual([PREVIOUS, ...prompt.slice(-223), START, KO, TRANSCRIBE, NO_TIMESTAMPS]);
  });

  it('gives up the prompt for a long prefix, and the beginning of a prefix longer than the context', async () => {
    const { pass, fed } = scripted(() => ({ [END]: 20 }));
    const prefix = Array.from({ length: 500 }, (_, i) => i % 7);
    const decoding = await decode(pass, config, { ...request, prompt: [5, 6], prefix, seconds: 30 }, never);
    expect(fed[0]).toEqual([START, KO, TRANSCRIBE, NO_TIMESTAMPS, ...prefix.slice(-384)]);
    expect(decoding.tokens).toEqual(prefix);
  });
});

describe('decoding stops', () => {
  /** Says tokens in an order that never repeats. */
  const babbling: Script = (history) => {
    const n = history.length;
    return { [1 + ((n * n + (n >> 2) * 3 + (n >> 4)) % 7)]: 20 };
  };

  it('above the token ceiling of the audio', async () => {
    const { pass } = scripted(babbling);
    const decoding = await decode(pass, config, request, never);
    expect(decoding).toMatchObject({ stop: 'too_many_tokens' });
    expect(decoding.tokens).toHaveLength(68);
  });

  it('in a loop, long before the ceiling', async () => {
    const { pass } = scripted((history) => ({ [1 + (history.length % 3)]: 20 }));
    const decoding = await decode(pass, config, { ...request, seconds: 28 }, never);
    expect(decoding.stop).toBe('loop');
    expect(decoding.tokens.length).toBeLessThan(25);
  });

  it('where the context is full, without a word lost', async () => {
    const { pass, history } = scripted(babbling);
    const decoding = await decode(pass, config, { ...request, seconds: 28 }, never);
    expect(decoding.stop).toBe('context_full');
    expect(decoding.tokens).toHaveLength(444);
    expect(history.length).toBeLessThanOrEqual(448);
  });

  it('between two tokens when aborted, with the reason', async () => {
    const abort = new AbortController();
    const { pass, fed } = scripted((history) => {
      if (history.at(-1) === 2) abort.abort(new Error('no longer wanted'));
      return saying(1, 2, 3, 4)(history);
    });
    await expect(decode(pass, config, request, abort.signal)).rejects.toThrow('no longer wanted');
    expect(fed).toHaveLength(3);
  });

  it('with an error where the decoder returns no numbers', async () => {
    const pass: DecoderPass = async (_tokens, _position, rows) =>
      rows.map(() => new Float32Array(VOCABULARY).fill(Number.NaN));
    await expect(decode(pass, config, request, never)).rejects.toThrow('no numbers');
  });
});
