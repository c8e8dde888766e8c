/** Translations by a recogniser elsewhere: another address, fewer forms, and nothing said of the language. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../src/flow/clock.ts';
import { openUpstreamRecogniser } from '../../src/upstream/recogniser.ts';
import type { Recogniser, RecognitionRequest } from '../../src/whisper/recognition.ts';
import { FakeTranscriber } from '../support/fake-transcriber.ts';

const request: RecognitionRequest = {
  audio: new Float32Array(32_000).fill(0.25),
  language: null,
  task: 'translate',
  likelyLanguage: null,
  prompt: 'Conference.',
  prefix: null,
  draft: [],
  utterance: null,
  words: true,
  urgency: 'final',
};

let fake: FakeTranscriber;
let recogniser: Recogniser;
beforeAll(async () => {
  fake = await FakeTranscriber.start();
  recogniser = openUpstreamRecogniser({
    baseUrl: fake.url,
    apiKey: null,
    model: 'whisper-large',
    timeoutMs: 60_000,
    concurrency: 1,
    onFailure: () => {},
    clock: systemClock,
  });
});
afterAll(async () => {
  await recogniser.close();
  await fake.close();
});

it('asks for what translations have, and takes the language of the text for nobody’s', async () => {
  const segments = [{ tokens: [1, 2, 3], avg_logprob: -0.2, no_speech_prob: 0.01 }];
  fake.script({ kind: 'answer', body: { text: 'You are alone.', language: 'english', segments } });
  const heard = await recogniser.recognise(request);
  expect(heard).toMatchObject({ text: 'You are alone.', language: 'und', words: null, suppressed: null });
  expect(heard.confidence).toBeCloseTo(Math.exp(-0.2));
  expect(fake.requests.map(({ path }) => path)).toEqual(['/v1/audio/translations']);
  expect(fake.requests[0]!.fields).toEqual({
    model: 'whisper-large',
    prompt: 'Conference.',
    response_format: 'verbose_json',
  });
});

it('tells the language that it was told', async () => {
  fake.script({ kind: 'answer', body: { text: 'You are alone.', language: 'english' } });
  expect(await recogniser.recognise({ ...request, language: 'fr' })).toMatchObject({ language: 'fr' });
  expect(fake.requests[0]!.fields).not.toHaveProperty('language');
});

it('makes do with the text where the endpoint gives no more', async () => {
  fake.answerBy(({ fields }) =>
    fields.response_format === 'json'
      ? { kind: 'answer', body: { text: 'You are alone.' } }
      : { kind: 'refuse', status: 400 },
  );
  expect(await recogniser.recognise(request)).toMatchObject({ text: 'You are alone.', confidence: null });
  expect(fake.requests.map(({ fields }) => fields.response_format)).toEqual(['verbose_json', 'json']);
});
