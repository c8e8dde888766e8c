/** The order of what is said: with a recogniser whose answers come when the test says. */
import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { samples, toSamples } from '../../src/domain/time.ts';
import { type PipelineOutput, type WordsSettings, words } from '../../src/session/words.ts';
import type { EndedBy } from '../../src/speech/endpointing.ts';
import type { SpeechEvent } from '../../src/speech/utterances.ts';
import {
  type Recogniser,
  type Recognition,
  type RecognitionRequest,
  UNDETERMINED,
} from '../../src/whisper/recognition.ts';
import { AGREEING } from '../../src/whisper/stability.ts';

const heard = (text: string): Recognition => ({
  text,
  language: 'en',
  confidence: 0.9,
  words: null,
  tokens: [],
  suppressed: null,
});

interface Asked {
  readonly request: RecognitionRequest;
  readonly signal: AbortSignal | undefined;
  answer(recognition: Recognition): void;
  fail(error: unknown): void;
}

/** Holds every request until the test answers it. */
function scripted(): { recogniser: Recogniser; asked: Asked[] } {
  const asked: Asked[] = [];
  const recogniser: Recogniser = {
    modelName: 'scripted',
    languages: ['en'],
    keepsPrefix: true,
    recognise: (request, signal) =>
      new Promise((resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason));
        asked.push({ request, signal, answer: resolve, fail: reject });
      }),
    load: () => ({ workers: 1, running: 0, waiting: 0, capacity: null }),
    close: async () => {},
  };
  return { recogniser, asked };
}

const SETTINGS: WordsSettings = {
  language: null,
  prompt: null,
  partials: true,
  words: false,
  urgency: 'final',
  from: samples(0),
  finalsAtOnce: 3,
};

const ended = (startMs: number, endMs: number, endedBy: EndedBy = 'silence'): SpeechEvent => ({
  kind: 'ended',
  from: toSamples(startMs),
  start: toSamples(startMs),
  end: toSamples(endMs),
  to: toSamples(endMs),
  audio: new Float32Array(toSamples(endMs - startMs)),
  endedBy,
});
const started = (ms: number): SpeechEvent => ({
  kind: 'started',
  from: toSamples(ms),
  start: toSamples(ms),
});
const growing = (startMs: number, endMs: number): SpeechEvent => ({
  kind: 'growing',
  from: toSamples(startMs),
  start: toSamples(startMs),
  end: toSamples(endMs),
  audio: new Float32Array(toSamples(endMs - startMs)),
});
const pausing = (startMs: number, endMs: number): SpeechEvent => ({
  kind: 'pausing',
  from: toSamples(startMs),
  start: toSamples(startMs),
  end: toSamples(endMs),
  audio: new Float32Array(toSamples(endMs - startMs)),
});
const settled = (ms: number): SpeechEvent => ({ kind: 'settled', until: toSamples(ms) });

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

async function* played(events: readonly SpeechEvent[], pause?: (at: number) => Promise<void>) {
  for (const [at, event] of events.entries()) {
    await pause?.(at);
    yield event;
  }
}

let nextId = 0;
const newId = (prefix: string) => `${prefix}_${nextId++}`;

const told = (outputs: readonly PipelineOutput[]): string[] =>
  outputs.map((output) => {
    if (output.kind === 'settled') return `settled ${output.until / 16}`;
    if (output.kind === 'committed') return output.kind;
    const { draft } = output;
    return 'text' in draft ? `${draft.type} ${draft.text}` : draft.type;
  });

async function collect(outputs: AsyncIterable<PipelineOutput>, into: PipelineOutput[]): Promise<void> {
  for await (const output of outputs) into.push(output);
}

const quiet = new AbortController().signal;

describe('words', () => {
  it.each([
    ['live, that of the last two finals', 'final', [null, null, 'ko']],
    ['in a recording, none', 'recording', [null, null, null]],
  ] as const)('expect a language: %s', async (_name, urgency, expected) => {
    const { recogniser, asked } = scripted();
    const spoken = [0, 2000, 4000];
    const speech = spoken.flatMap((ms) => [started(ms), ended(ms, ms + 1500)]);
    const settings = { ...SETTINGS, partials: false, urgency };
    // The next begins when the one before has been told.
    const pause = async (at: number) => {
      if (at === 0 || at % 2 === 1) return;
      asked.at(-1)!.answer({ ...heard('네, 알겠습니다.'), language: 'ko' });
      await turn();
    };
    const done = collect(words(played(speech, pause), recogniser, settings, newId, quiet), []);
    while (asked.length < spoken.length) await turn();
    asked.at(-1)!.answer(heard('Yes.'));
    await done;
    expect(asked.map(({ request }) => request.likelyLanguage)).toEqual(expected);
  });

  it('tells finals in the order they were spoken, whichever is ready first', async () => {
    const { recogniser, asked } = scripted();
    const commit: SpeechEvent = { kind: 'committed' };
    const speech = [started(0), ended(0, 900), commit, started(1500), ended(1500, 2500), settled(2600)];
    const outputs: PipelineOutput[] = [];
    const done = collect(words(played(speech), recogniser, SETTINGS, newId, quiet), outputs);
    await turn();
    expect(asked.map(({ request }) => request.urgency)).toEqual(['final', 'final']);
    asked[1]!.answer(heard('Second.'));
    await turn();
    expect(told(outputs)).toEqual(['speech.started', 'speech.started']);
    asked[0]!.answer(heard('First.'));
    await done;
    expect(told(outputs).slice(2)).toEqual([
      'transcript.final First.',
      'committed',
      'transcript.final Second.',
      'settled 2600',
    ]);
  });

  it('says nothing more of an utterance that is discarded', async () => {
    const { recogniser, asked } = scripted();
    const speech = [started(0), growing(0, 600), ended(0, 900, 'discard'), started(1500), ended(1500, 2500)];
    const outputs: PipelineOutput[] = [];
    const done = collect(words(played(speech), recogniser, SETTINGS, newId, quiet), outputs);
    await turn();
    expect(asked.map(({ request }) => request.urgency)).toEqual(['partial', 'final']);
    asked[0]!.answer(heard('First.'));
    asked[1]!.answer(heard('Second.'));
    await done;
    expect(told(outputs)).toEqual(['speech.started', 'speech.started', 'transcript.final Second.']);
  });

  it('has one partial in the works, the next of the newest audio there is when it comes back', async () => {
    const { recogniser, asked } = scripted();
    const speech = [
      started(0),
      growing(0, 500),
      growing(0, 600),
      growing(0, 800),
      // What came in meanwhile says that the recogniser is slow: the next one waits for a second's worth.
      growing(0, 1300),
      growing(0, 1500),
      ended(0, 1700),
    ];
    const outputs: PipelineOutput[] = [];
    const pause = async (at: number) => {
      if (at === 4) asked[0]!.answer(heard('He'));
      await turn();
      await turn();
    };
    const done = collect(words(played(speech, pause), recogniser, SETTINGS, newId, quiet), outputs);
    while (asked.length < 3) await turn();
    expect(asked.map(({ request }) => [request.urgency, request.audio.length / 16])).toEqual([
      ['partial', 500],
      ['partial', 1500],
      ['final', 1700],
    ]);
    expect(asked[1]!.signal?.aborted).toBe(true);
    asked[2]!.answer(heard('He was.'));
    await done;
    expect(told(outputs)).toEqual(['speech.started', 'transcript.partial He', 'transcript.final He was.']);
  });

  it('has partials often while the first words are waited for, then twice a second', async () => {
    const { recogniser, asked } = scripted();
    const spoken = Array.from({ length: 60 }, (_, at) => growing(0, 50 * (at + 1)));
    let answered = 0;
    const pause = async () => {
      while (answered < asked.length) asked[answered++]!.answer(heard(answered < 3 ? '' : 'He was not'));
      for (let turns = 0; turns < 5; turns++) await turn();
    };
    const speech = played([started(0), ...spoken, ended(0, 3000)], pause);
    const done = collect(words(speech, recogniser, SETTINGS, newId, quiet), []);
    while (asked.at(-1)?.request.urgency !== 'final') await turn();
    asked.at(-1)!.answer(heard('He was not'));
    await done;
    const at = asked.slice(0, -1).map(({ request }) => request.audio.length / 16);
    expect(at).toEqual([450, 600, 750, 1250, 1750, 2250, 2750]);
  });

  it('shows nothing of an utterance after its final', async () => {
    const { recogniser, asked } = scripted();
    const speech = [started(0), growing(0, 500), ended(0, 900)];
    const outputs: PipelineOutput[] = [];
    const done = collect(words(played(speech), recogniser, SETTINGS, newId, quiet), outputs);
    while (asked.length < 2) await turn();
    asked[1]!.answer(heard('Done.'));
    asked[0]!.answer(heard('Do'));
    await done;
    expect(told(outputs)).toEqual(['speech.started', 'transcript.final Done.']);
  });

  it('makes the final begin with what was shown as settled', async () => {
    const { recogniser, asked } = scripted();
    const text = 'He was not an ill disposed young man';
    const spoken = Array.from({ length: AGREEING + 1 }, (_, at) => growing(0, 500 * (at + 1)));
    const speech = [started(0), ...spoken, ended(0, 500 * (AGREEING + 2))];
    const outputs: PipelineOutput[] = [];
    let answered = 0;
    const pause = async () => {
      while (answered < asked.length) asked[answered++]!.answer(heard(text));
      for (let turns = 0; turns < 5; turns++) await turn();
    };
    const done = collect(words(played(speech, pause), recogniser, SETTINGS, newId, quiet), outputs);
    while (asked.at(-1)?.request.urgency !== 'final') await turn();
    expect(asked.at(-1)!.request.prefix).not.toBeNull();
    expect(text.startsWith(asked.at(-1)!.request.prefix!)).toBe(true);
    asked.at(-1)!.answer(heard(`${text}.`));
    await done;
  });

  it('settles nothing, and believes no language, where the recogniser promises neither', async () => {
    const { recogniser, asked } = scripted();
    const spoken = Array.from({ length: AGREEING + 1 }, (_, at) => growing(0, 500 * (at + 1)));
    const speech = [started(0), ...spoken, ended(0, 500 * (AGREEING + 2))];
    const outputs: PipelineOutput[] = [];
    let answered = 0;
    const pause = async () => {
      while (answered < asked.length)
        asked[answered++]!.answer({
          ...heard('He was not an ill disposed young man'),
          language: UNDETERMINED,
        });
      for (let turns = 0; turns < 5; turns++) await turn();
    };
    const forgetful = { ...recogniser, keepsPrefix: false };
    const done = collect(words(played(speech, pause), forgetful, SETTINGS, newId, quiet), outputs);
    while (asked.at(-1)?.request.urgency !== 'final') await turn();
    asked.at(-1)!.answer(heard('She was an ill disposed young man.'));
    await done;
    const shown = outputs.flatMap((output) =>
      output.kind === 'event' && output.draft.type === 'transcript.partial' ? [output.draft.stableChars] : [],
    );
    // Without the newest word, then with it.
    expect(shown).toEqual([0, 0]);
    expect(asked.length).toBeGreaterThan(AGREEING);
    for (const { request } of asked) expect(request).toMatchObject({ prefix: null, language: null });
  });

  it('begins the final when the speaker pauses, and has it ready at the endpoint', async () => {
    const { recogniser, asked } = scripted();
    const pause = async (at: number) => {
      if (at === 2) asked[0]!.answer(heard('Ready.'));
      await turn();
    };
    const speech = [started(0), pausing(0, 900), ended(0, 900)];
    const outputs: PipelineOutput[] = [];
    await collect(words(played(speech, pause), recogniser, SETTINGS, newId, quiet), outputs);
    expect(asked.length).toBe(1);
    // Until then it is shown for what it is.
    expect(told(outputs)).toEqual(['speech.started', 'transcript.partial Ready.', 'transcript.final Ready.']);
  });

  it('lets go of the hypothesis in the works when the speaker pauses', async () => {
    const { recogniser, asked } = scripted();
    const speech = [started(0), growing(0, 700), pausing(0, 900), growing(0, 1500), ended(0, 2000)];
    const outputs: PipelineOutput[] = [];
    const pause = async (at: number) => {
      if (at === 3) asked[1]!.answer(heard('He was'));
      if (at === 4) asked[2]!.answer(heard('He was not there'));
      await turn();
    };
    const done = collect(words(played(speech, pause), recogniser, SETTINGS, newId, quiet), outputs);
    while (asked.length < 4) await turn();
    expect(asked.map(({ request }) => request.urgency)).toEqual(['partial', 'final', 'partial', 'final']);
    expect(asked[0]!.signal?.aborted).toBe(true);
    asked[0]!.answer(heard('Too late'));
    asked[3]!.answer(heard('He was not.'));
    await done;
    expect(told(outputs)).toEqual([
      'speech.started',
      'transcript.partial He was',
      'transcript.partial He was not',
      'transcript.final He was not.',
    ]);
  });

  it('begins the final anew when the speaker went on after the pause', async () => {
    const { recogniser, asked } = scripted();
    const speech = [started(0), pausing(0, 900), growing(0, 1200), ended(0, 2000)];
    const outputs: PipelineOutput[] = [];
    const done = collect(words(played(speech), recogniser, SETTINGS, newId, quiet), outputs);
    while (asked.filter(({ request }) => request.urgency === 'final').length < 2) await turn();
    const [early, final] = asked.filter(({ request }) => request.urgency === 'final');
    expect(early!.signal?.aborted).toBe(true);
    final!.answer(heard('All of it.'));
    await done;
    expect(told(outputs)).toEqual(['speech.started', 'transcript.final All of it.']);
  });

  it('keeps what a guard withheld, with the reason', async () => {
    const { recogniser, asked } = scripted();
    const outputs: PipelineOutput[] = [];
    const done = collect(
      words(played([started(0), ended(0, 900)]), recogniser, SETTINGS, newId, quiet),
      outputs,
    );
    while (asked.length < 1) await turn();
    asked[0]!.answer({ ...heard('Thank you. Thank you.'), suppressed: 'repetition' });
    await done;
    expect(outputs.at(-1)).toMatchObject({
      draft: { type: 'transcript.suppressed', reason: 'repetition', startMs: 0, endMs: 900 },
    });
  });

  it('carries on when a partial is refused', async () => {
    const { recogniser, asked } = scripted();
    const outputs: PipelineOutput[] = [];
    const pause = async () => {
      asked.find(({ request }) => request.urgency === 'partial')?.fail(new Failure('overloaded', 'full'));
      await turn();
    };
    const speech = [started(0), growing(0, 500), ended(0, 900)];
    const done = collect(words(played(speech, pause), recogniser, SETTINGS, newId, quiet), outputs);
    while (asked.at(-1)?.request.urgency !== 'final') await turn();
    asked.at(-1)!.answer(heard('Fine.'));
    await done;
    expect(told(outputs)).toEqual(['speech.started', 'transcript.final Fine.']);
  });

  it('tells every final before it fails with the speech', async () => {
    const { recogniser, asked } = scripted();
    async function* broken(): AsyncGenerator<SpeechEvent> {
      yield started(0);
      yield ended(0, 900);
      throw new Failure('audio_undecodable', 'broken');
    }
    const outputs: PipelineOutput[] = [];
    const done = collect(words(broken(), recogniser, SETTINGS, newId, quiet), outputs);
    while (asked.length < 1) await turn();
    asked[0]!.answer(heard('Before.'));
    await expect(done).rejects.toMatchObject({ code: 'audio_undecodable' });
    expect(told(outputs)).toEqual(['speech.started', 'transcript.final Before.']);
  });

  it('takes no more speech while enough finals are in the works', async () => {
    const { recogniser, asked } = scripted();
    const speech = [0, 1, 2, 3, 4].flatMap((n) => [started(n * 2000), ended(n * 2000, n * 2000 + 1000)]);
    const outputs: PipelineOutput[] = [];
    const done = collect(words(played(speech), recogniser, SETTINGS, newId, quiet), outputs);
    await turn();
    expect(asked.length).toBe(3);
    for (let at = 0; at < 5; at++) {
      while (asked.length <= at) await turn();
      asked[at]!.answer(heard(`${at}`));
    }
    await done;
    expect(told(outputs).filter((line) => line.startsWith('transcript'))).toEqual(
      [0, 1, 2, 3, 4].map((n) => `transcript.final ${n}`),
    );
  });

  it('puts times on the session’s clock where the audio begins later', async () => {
    const { recogniser, asked } = scripted();
    const outputs: PipelineOutput[] = [];
    const settings = { ...SETTINGS, from: toSamples(10_000) };
    const done = collect(
      words(played([started(100), ended(100, 900)]), recogniser, settings, newId, quiet),
      outputs,
    );
    while (asked.length < 1) await turn();
    asked[0]!.answer(heard('Later.'));
    await done;
    expect(outputs.at(-1)).toMatchObject({ draft: { startMs: 10_100, endMs: 10_900 } });
  });

  it('asks finals for their words, and puts those on the session’s clock, inside the utterance', async () => {
    const { recogniser, asked } = scripted();
    const outputs: PipelineOutput[] = [];
    const settings = { ...SETTINGS, words: true, from: toSamples(10_000) };
    const done = collect(
      words(played([started(100), ended(100, 900)]), recogniser, settings, newId, quiet),
      outputs,
    );
    while (asked.length < 1) await turn();
    expect(asked[0]!.request.words).toBe(true);
    const spoken = [
      { text: 'Later', startMs: 20, endMs: 400, confidence: 0.5 },
      { text: 'on.', startMs: 400, endMs: 801, confidence: 0.9 },
    ];
    asked[0]!.answer({ ...heard('Later on.'), words: spoken });
    await done;
    expect(outputs.at(-1)).toMatchObject({
      draft: {
        words: [
          { text: 'Later', startMs: 10_120, endMs: 10_500, confidence: 0.5 },
          { text: 'on.', startMs: 10_500, endMs: 10_900, confidence: 0.9 },
        ],
      },
    });
  });
});
