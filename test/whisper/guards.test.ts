import { describe, expect, it } from 'vitest';
import {
  type Evidence,
  endsInLoop,
  suppressionOf,
  THRESHOLDS,
  tokenCeiling,
} from '../../src/whisper/guards.ts';
import { tokenizer } from './model-folder.ts';

const tokens = tokenizer();

/** A text spoken clearly. */
const spoken = (text: string): Evidence => ({
  text,
  stop: 'end',
  meanLogProbability: -0.3,
  noSpeechProbability: 0.02,
  seconds: 4,
  language: 'en',
  likelyLanguage: null,
});

const REAL_SPEECH = [
  '네, 네, 네, 네',
  '네, 네, 네, 네, 네, 네, 네, 네. 알겠습니다.',
  'no no no no',
  'No, no, no, no, no, no, no, that is not what I meant.',
  'ha ha ha ha ha ha ha ha',
  '아니 아니 아니 그게 아니라 아니 제 말은요',
  'Row, row, row your boat, gently down the stream. Merrily, merrily, merrily, merrily, life is but a dream.',
  'one two three four one two three four one two three four',
  '하나 둘 셋 넷 하나 둘 셋 넷 둘 둘 셋 넷',
  '전화번호는 공일공 삼삼삼삼 이이이이입니다.',
  'My number is 0000 1111 2222 and the code is 7 7 7 7 7 7 7.',
  '안녕하십니까. 오늘은 날씨가 매우 맑고 바람이 조금 불겠습니다. 내일은 전국이 흐리고 곳에 따라 비가 오겠습니다.',
  'Had he married a more amiable woman, he might have been made still more respectable than he was.',
  'She sells sea shells by the sea shore; the shells she sells are sea shells, I am sure, and if she sells sea shells on the sea shore then I am sure she sells sea-shore shells.',
  '간장 공장 공장장은 강 공장장이고 된장 공장 공장장은 공 공장장이다. 내가 그린 기린 그림은 잘 그린 기린 그림이다.',
];

const LOOPS = [
  'Thank you. '.repeat(20),
  'Thanks for watching! '.repeat(12),
  'Thank you very much for watching and see you in the next video. '.repeat(5),
  '시청해주셔서 감사합니다. '.repeat(8),
  'MBC 뉴스 이덕영입니다. '.repeat(6),
  '네, '.repeat(24),
  '아'.repeat(120),
  'ご視聴ありがとうございました '.repeat(6),
  "I'm going to go to the bathroom. ".repeat(8),
  'the the the the the the the the the the the the the the the the the the the the the the the the',
  '그래서 저는 이제 집에 갔는데, '.repeat(6),
];

describe('a loop', () => {
  it.each(LOOPS)('is found before it ends: %s', (text) => {
    const all = tokens.encode(` ${text}`);
    const stoppedAt = all.findIndex((_, i) => endsInLoop(all.slice(0, i + 1)));
    expect(stoppedAt).toBeGreaterThan(0);
    expect(stoppedAt).toBeLessThan(all.length);
  });

  it.each(REAL_SPEECH)('is not what people say: %s', (text) => {
    const all = tokens.encode(` ${text}`);
    for (let i = 0; i <= all.length; i++) expect(endsInLoop(all.slice(0, i))).toBe(false);
  });

  it('is found whatever was said before it', () => {
    const said = tokens.encode(' 그래서 제가 말씀드렸듯이');
    expect(endsInLoop([...said, ...Array<number>(THRESHOLDS.loopTokens + 1).fill(8808)])).toBe(true);
    expect(endsInLoop([...said, ...Array<number>(THRESHOLDS.loopTokens).fill(8808)])).toBe(false);
  });
});

describe('a text', () => {
  it.each(REAL_SPEECH)('that is real passes: %s', (text) => {
    expect(suppressionOf(spoken(text))).toBeNull();
  });

  it.each(LOOPS.filter((text) => Buffer.byteLength(text) > THRESHOLDS.compressionFromBytes))(
    'that repeats itself is withheld by its compression alone: %s',
    (text) => {
      expect(suppressionOf(spoken(text))).toBe('compression_ratio');
    },
  );

  const flipped = { seconds: 1, language: 'en', likelyLanguage: 'ko', meanLogProbability: -1.1 };
  const cases: [name: string, evidence: Partial<Evidence>, expected: ReturnType<typeof suppressionOf>][] = [
    ['with more tokens than can be spoken', { stop: 'too_many_tokens' }, 'too_many_tokens'],
    ['left in a loop', { stop: 'loop' }, 'repetition'],
    ['that fills the context', { stop: 'context_full' }, null],
    [
      'heard in what sounds like no speech, hesitantly',
      { noSpeechProbability: 0.7, meanLogProbability: -1.1 },
      'no_speech',
    ],
    [
      'heard in what sounds like no speech, surely',
      { noSpeechProbability: 0.9, meanLogProbability: -0.4 },
      null,
    ],
    ['heard in speech, hesitantly', { noSpeechProbability: 0.1, meanLogProbability: -1.1 }, null],
    ['that was guessed', { meanLogProbability: -1.6 }, 'low_confidence'],
    ['short, hesitant and in a language of its own', { ...flipped }, 'language_flip'],
    ['in the language spoken until now', { ...flipped, language: 'ko' }, null],
    ['where no language is expected', { ...flipped, likelyLanguage: null }, null],
    ['in another language, surely', { ...flipped, meanLogProbability: -0.9 }, null],
    ['in another language, at length', { ...flipped, seconds: 2.1 }, null],
    ['that is empty', { text: '', noSpeechProbability: 0.99, meanLogProbability: -5 }, null],
  ];
  it.each(cases)('%s gets its reason', (_name, evidence, expected) => {
    expect(suppressionOf({ ...spoken('Thank you.'), ...evidence })).toBe(expected);
  });
});

describe('the token ceiling', () => {
  it.each([
    [0, 50],
    [2, 50],
    [4, 90],
    [28, 630],
  ])('of %d s is %i', (seconds, expected) => {
    expect(tokenCeiling(seconds)).toBe(expected);
  });
});
