import { describe, expect, it } from 'vitest';
import { Failure } from '../../../src/domain/failure.ts';
import { params } from '../../../src/http/openai/problem.ts';
import {
  initialSettings,
  type RealtimeSettings,
  sessionOptionsOf,
  updated,
} from '../../../src/http/openai/realtime-config.ts';
import type { Abilities } from '../../../src/http/options.ts';

const abilities: Abilities = {
  modelName: 'whisper-base',
  modelAliases: ['whisper-1', 'gpt-4o-transcribe'],
  languages: ['en', 'ko'],
  translates: false,
  llm: false,
  webhooks: { check: () => {} },
};
const initial = initialSettings('whisper-base');
const input = (given: unknown) => ({ type: 'transcription', audio: { input: given } });
const after = (...given: unknown[]) =>
  given.reduce<RealtimeSettings>((before, one) => updated(before, one, abilities), initial).audio.input;
const VAD = initial.audio.input.turn_detection;

describe('an update of the configuration', () => {
  const MERGED: [string, unknown[], object][] = [
    ['nothing', [{}], {}],
    ['a type alone', [{ type: 'transcription' }], {}],
    ['audio without an input', [{ audio: {} }, { audio: null }, { audio: { input: null } }], {}],
    ['no logprobs', [{ include: [] }, { include: null }], {}],
    ['a format', [input({ format: { type: 'audio/pcmu' } })], { format: { type: 'audio/pcmu' } }],
    ['PCM without its rate', [input({ format: { type: 'audio/pcm' } })], {}],
    ['a format, taken back', [input({ format: { type: 'audio/pcma' } }), input({ format: null })], {}],
    [
      'one field after another of the transcription',
      [
        input({ transcription: { model: 'gpt-4o-transcribe' } }),
        input({ transcription: { language: 'ko-KR' } }),
        input({ transcription: { prompt: 'Seoul' } }),
      ],
      { transcription: { model: 'gpt-4o-transcribe', language: 'ko-KR', prompt: 'Seoul', keywords: [] } },
    ],
    [
      'languages, if it is one, and keywords',
      [input({ transcription: { languages: ['ko'], keywords: ['Seoul', 'Busan'] } })],
      {
        transcription: {
          model: 'whisper-base',
          language: 'ko',
          prompt: '',
          keywords: ['Seoul', 'Busan'],
        },
      },
    ],
    [
      'fields of the transcription, taken back',
      [
        input({
          transcription: { model: 'whisper-1', language: 'ko', prompt: 'Seoul', keywords: ['Busan'] },
        }),
        input({ transcription: { model: null, language: '', prompt: null, keywords: [] } }),
      ],
      {},
    ],
    [
      'the transcription, taken back whole',
      [input({ transcription: { language: 'ko' } }), input({ transcription: null })],
      {},
    ],
    ['no turn detection', [input({ turn_detection: null })], { turn_detection: null }],
    [
      'turn detection as frameworks send it',
      [
        input({
          turn_detection: {
            type: 'server_vad',
            threshold: 0.6,
            prefix_padding_ms: 600,
            silence_duration_ms: 350,
            create_response: false,
          },
        }),
      ],
      { turn_detection: { ...VAD, silence_duration_ms: 350 } },
    ],
    [
      'a silence, kept by what does not speak of it',
      [
        input({ turn_detection: { type: 'server_vad', silence_duration_ms: 350 } }),
        input({ turn_detection: { type: 'server_vad', threshold: 0.7 } }),
      ],
      { turn_detection: { ...VAD, silence_duration_ms: 350 } },
    ],
    [
      'a silence, taken back',
      [
        input({ turn_detection: { type: 'server_vad', silence_duration_ms: 350 } }),
        input({ turn_detection: { type: 'server_vad', silence_duration_ms: null } }),
      ],
      {},
    ],
    [
      'semantic turn detection',
      [input({ turn_detection: { type: 'semantic_vad' } })],
      { turn_detection: { type: 'semantic_vad', eagerness: 'auto' } },
    ],
    [
      'an eagerness, kept',
      [
        input({ turn_detection: { type: 'semantic_vad', eagerness: 'low' } }),
        input({ turn_detection: { type: 'semantic_vad' } }),
      ],
      { turn_detection: { type: 'semantic_vad', eagerness: 'low' } },
    ],
    ['noise reduction, which there is none of', [input({ noise_reduction: { type: 'near_field' } })], {}],
    ['no noise reduction', [input({ noise_reduction: null })], {}],
  ];
  it.each(MERGED)('takes %s', (_, given, expected) => {
    expect(after(...given)).toEqual({ ...initial.audio.input, ...expected });
  });

  const IN = 'session.audio.input';
  const REFUSED: [string, unknown, string][] = [
    ['what is no object', 7, 'session'],
    ['speech to speech', { type: 'realtime' }, 'session.type'],
    ['an unknown field', { voice: 'alloy' }, 'session.voice'],
    ['log probabilities', { include: ['item.input_audio_transcription.logprobs'] }, 'session.include'],
    ['output', { audio: { output: {} } }, 'session.audio.output'],
    ['an unknown format', input({ format: { type: 'audio/opus' } }), `${IN}.format.type`],
    ['another rate', input({ format: { type: 'audio/pcm', rate: 16_000 } }), `${IN}.format.rate`],
    ['an unknown model', input({ transcription: { model: 'whisper-9' } }), `${IN}.transcription.model`],
    ['an unknown language', input({ transcription: { language: 'tlh' } }), `${IN}.transcription.language`],
    ['two languages', input({ transcription: { languages: ['en', 'ko'] } }), `${IN}.transcription.languages`],
    [
      'too many keywords',
      input({ transcription: { keywords: ['x'.repeat(1500), 'y'.repeat(500)] } }),
      `${IN}.transcription.keywords`,
    ],
    ['a delay', input({ transcription: { delay: 'low' } }), `${IN}.transcription.delay`],
    ['another detection', input({ turn_detection: { type: 'none' } }), `${IN}.turn_detection.type`],
    [
      'a silence too short',
      input({ turn_detection: { type: 'server_vad', silence_duration_ms: 99 } }),
      `${IN}.turn_detection.silence_duration_ms`,
    ],
    [
      'an eagerness of the other detection',
      input({ turn_detection: { type: 'server_vad', eagerness: 'low' } }),
      `${IN}.turn_detection.eagerness`,
    ],
    [
      'a prompt at idleness',
      input({ turn_detection: { type: 'server_vad', idle_timeout_ms: 6000 } }),
      `${IN}.turn_detection.idle_timeout_ms`,
    ],
    [
      'another noise reduction',
      input({ noise_reduction: { type: 'mid_field' } }),
      `${IN}.noise_reduction.type`,
    ],
  ];
  it.each(REFUSED)('refuses %s by its name', (_, given, field) => {
    try {
      updated(initial, given, abilities);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(Failure);
      expect((error as Failure).message).toContain(field);
      expect(params.get(error as Failure)).toBe(field);
    }
  });
});

describe('a configuration in our own words', () => {
  const optionsAfter = (...given: unknown[]) =>
    sessionOptionsOf({ ...initial, audio: { input: after(...given) } });

  it('says what is to be heard, and by which interface it came', () => {
    expect(
      optionsAfter(
        input({ format: { type: 'audio/pcma' }, transcription: { language: 'ko', prompt: 'Seoul' } }),
      ),
    ).toMatchObject({
      language: 'ko',
      prompt: 'Seoul',
      audio: { encoding: 'alaw', sampleRateHz: 8000, channels: 1 },
      metadata: { protocol: 'openai-realtime' },
    });
    expect(optionsAfter()).toMatchObject({
      language: 'auto',
      prompt: null,
      audio: { encoding: 'pcm_s16le', sampleRateHz: 24_000, channels: 1 },
    });
  });

  it('expects keywords after the prompt', () => {
    const given = input({ transcription: { prompt: 'Cities.', keywords: ['Seoul', 'Busan'] } });
    expect(optionsAfter(given).prompt).toBe('Cities. Seoul, Busan');
  });

  it.each([
    ['without turn detection', null, 500],
    ['of its own', { type: 'server_vad', silence_duration_ms: 350 }, 350],
    ['of little eagerness', { type: 'semantic_vad', eagerness: 'low' }, 2000],
    ['of great eagerness', { type: 'semantic_vad', eagerness: 'high' }, 500],
    ['of any eagerness', { type: 'semantic_vad' }, 1000],
  ])('waits for a silence %s', (_, turn_detection, silenceMs) => {
    expect(optionsAfter(input({ turn_detection })).endpointing.silenceMs).toBe(silenceMs);
  });
});
