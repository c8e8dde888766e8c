/**
 * Speech to words: partials while an utterance grows, one final when it ends. Finals leave in the order they
 * were spoken although several may be in the works; a recording keeps all workers busy that way.
 */
import type { EventDraft } from '../domain/event.ts';
import type { NewId } from '../domain/ids.ts';
import { type Samples, samples, toStreamMs } from '../domain/time.ts';
import { Queue } from '../flow/queue.ts';
import type { SpeechEvent } from '../speech/utterances.ts';
import type { Recogniser } from '../whisper/recognition.ts';
import { type LanguageMemory, likelyLanguage, NO_LANGUAGES, remember } from './languages.ts';
import { type Beginning, OpenUtterance, type UtteranceSettings } from './open-utterance.ts';
import type { Carried } from './seam.ts';

/** What the pipeline says: an event, that nothing before a position will be needed again, or where a commit was. */
export type PipelineOutput =
  | { readonly kind: 'event'; readonly draft: EventDraft }
  | { readonly kind: 'settled'; readonly until: Samples }
  /** All that was said before the client's commit has been told. */
  | { readonly kind: 'committed' };

export interface WordsSettings extends UtteranceSettings {
  /** Finals in the works at a time; speech waits for the rest. */
  readonly finalsAtOnce: number;
}

/** Outputs that may wait for the store. */
const OUTPUTS_WAITING = 64;

/** Turns speech into outputs, in order. Failures of the recogniser and of the speech end it by throwing. */
export async function* words(
  speech: AsyncIterable<SpeechEvent>,
  recogniser: Recogniser,
  settings: WordsSettings,
  newId: NewId,
  signal: AbortSignal,
): AsyncGenerator<PipelineOutput, void, undefined> {
  const outputs = new Queue<PipelineOutput>(OUTPUTS_WAITING);
  const leaving = new AbortController();
  const listening = listen(
    speech,
    recogniser,
    settings,
    newId,
    outputs,
    AbortSignal.any([signal, leaving.signal]),
  );
  listening.then(
    () => outputs.close(),
    (error: unknown) => outputs.fail(error),
  );
  try {
    yield* outputs;
  } finally {
    leaving.abort();
    await listening.catch(() => {});
  }
}

async function listen(
  speech: AsyncIterable<SpeechEvent>,
  recogniser: Recogniser,
  settings: WordsSettings,
  newId: NewId,
  outputs: Queue<PipelineOutput>,
  signal: AbortSignal,
): Promise<void> {
  const emit = (draft: EventDraft) => outputs.offer({ kind: 'event', draft });
  const inTheWorks: Promise<void>[] = [];
  let languages: LanguageMemory = NO_LANGUAGES;
  let open: OpenUtterance | null = null;
  let last: Promise<void> = Promise.resolve();
  /** What the last utterance leaves to one that goes on from a cut. */
  let carried: Promise<Carried | null> = Promise.resolve(null);
  let failed = false;

  /** Runs `work` at once and `tell` when it is done and everything before has been told. */
  const inOrder = <T>(work: Promise<T>, tell: (result: T) => Promise<unknown>): Promise<void> => {
    const before = last;
    last = (async () => {
      const result = await work;
      await before;
      await tell(result);
    })();
    last.catch(() => {
      failed = true;
    });
    return last;
  };

  // A recording's utterances are heard side by side: which of them are known by then must not change what is heard.
  const likely = () => (settings.urgency === 'final' ? likelyLanguage(languages) : null);
  const begin = (beginning: Beginning) =>
    new OpenUtterance(newId('utt'), beginning, carried, recogniser, settings, likely, emit);

  try {
    for await (const event of speech) {
      signal.throwIfAborted();
      if (failed) break;
      // Nothing more is taken in while the store cannot keep up with what is said already.
      if (outputs.weight >= OUTPUTS_WAITING) await last;
      switch (event.kind) {
        case 'started':
          open = begin(event);
          break;
        case 'growing':
          open?.grow(event);
          break;
        case 'pausing':
          open?.pause(event, signal);
          break;
        case 'ended': {
          if (event.endedBy === 'discard') {
            open?.drop();
            open = null;
            break;
          }
          const finished = (open ?? begin(event)).finish(event, signal);
          open = null;
          carried = finished.then((utterance) => utterance.carried);
          carried.catch(() => {});
          const durationMs = toStreamMs(samples(event.end - event.start));
          const tell = ({ heard, draft }: Awaited<typeof finished>) => {
            languages = remember(languages, heard, durationMs);
            return outputs.push({ kind: 'event', draft });
          };
          inTheWorks.push(inOrder(finished, tell));
          if (inTheWorks.length >= settings.finalsAtOnce) await inTheWorks.shift();
          break;
        }
        case 'committed':
          inOrder(Promise.resolve(), () => outputs.push({ kind: 'committed' }));
          break;
        case 'settled': {
          const until = samples(settings.from + event.until);
          inOrder(Promise.resolve(), () => outputs.push({ kind: 'settled', until }));
          break;
        }
      }
    }
  } finally {
    open?.drop();
    // What was spoken before the speech broke off is still told.
    await last.catch(() => {});
  }
  await last;
}
