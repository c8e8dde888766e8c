/** What a session that is to be translated asks of the recogniser. */
import { expect, it } from 'vitest';
import { DEFAULT_OPTIONS } from '../../src/domain/options.ts';
import { joinText } from '../../src/domain/session.ts';
import { samples, toSamples } from '../../src/domain/time.ts';
import { pipelineSettings } from '../../src/session/pipeline.ts';
import { type PipelineOutput, words } from '../../src/session/words.ts';
import type { SpeechEvent } from '../../src/speech/utterances.ts';
import type { Recogniser, RecognitionRequest } from '../../src/whisper/recognition.ts';

/** Two utterances of speech that had to be cut at 2 s, each heard half a second into the other. */
const CUT: readonly SpeechEvent[] = [
  {
    kind: 'ended',
    from: samples(0),
    start: samples(0),
    end: toSamples(2000),
    to: toSamples(2500),
    audio: new Float32Array(toSamples(2500)),
    endedBy: 'length',
  },
  {
    kind: 'ended',
    from: toSamples(1500),
    start: toSamples(2000),
    end: toSamples(4000),
    to: toSamples(4000),
    audio: new Float32Array(toSamples(2500)),
    endedBy: 'silence',
  },
];

it('hears up to a cut and no further, since words of a translation have another order than the sound', async () => {
  const asked: RecognitionRequest[] = [];
  const recogniser: Recogniser = {
    modelName: 'scripted',
    languages: ['ja'],
    keepsPrefix: true,
    translates: true,
    recognise: async (request) => {
      asked.push(request);
      const text = `Part ${asked.length}.`;
      return { text, language: 'ja', confidence: 0.9, words: null, tokens: [], suppressed: null };
    },
    load: () => ({ workers: 1, running: 0, waiting: 0, capacity: null }),
    close: async () => {},
  };
  const settings = pipelineSettings({ ...DEFAULT_OPTIONS, task: 'translate' }, 'recording', samples(0), 1);
  async function* speech() {
    yield* CUT;
  }
  const outputs: PipelineOutput[] = [];
  const newId = (prefix: string) => `${prefix}_1`;
  const quiet = new AbortController().signal;
  for await (const output of words(speech(), recogniser, settings, newId, quiet)) outputs.push(output);
  expect(asked.map(({ audio }) => audio.length)).toEqual([toSamples(2000), toSamples(2000)]);
  expect(asked.map(({ task, prefix }) => [task, prefix])).toEqual([
    ['translate', null],
    ['translate', null],
  ]);
  const finals = outputs.flatMap((output) =>
    output.kind === 'event' && output.draft.type === 'transcript.final' ? [output.draft] : [],
  );
  expect(joinText(finals)).toBe('Part 1.Part 2.');
  expect(joinText(finals, 'translate')).toBe('Part 1. Part 2.');
});
