/**
 * One utterance while it is spoken, and its final. The final is begun as soon as the speaker pauses: if the
 * pause lasts until the endpoint, it is there already, and a reader waits for the endpoint alone.
 */
import type { DurableDraft, HintDraft, Word } from '../domain/event.ts';
import type { Task } from '../domain/options.ts';
import { type Samples, samples, toStreamMs } from '../domain/time.ts';
import type { Recogniser, Recognition, Urgency } from '../whisper/recognition.ts';
import { continuing } from './continuation.ts';
import { Partials } from './partials.ts';
import { beforeCut, type Carried } from './seam.ts';

/** Where an utterance begins, and where the audio that is heard for it: in the run's own positions. */
export interface Beginning {
  /** Before `start` where it goes on from a cut. */
  readonly from: Samples;
  readonly start: Samples;
}

/** A stretch of the run's audio. */
export interface Stretch extends Beginning {
  readonly end: Samples;
  /** Beginning at `from`. */
  readonly audio: Float32Array;
}

/** An utterance that is over. */
export interface Ended extends Stretch {
  /** Where the audio ends: after `end` where the speech was cut there and goes on. */
  readonly to: Samples;
}

/** What comes of an utterance. */
export interface Finished {
  readonly heard: Recognition;
  /** What was said, or why it is withheld. */
  readonly draft: DurableDraft;
  /** For the utterance that goes on from a cut at its end; null for nothing, or where there is no cut. */
  readonly carried: Carried | null;
}

export interface UtteranceSettings {
  readonly language: string | null;
  readonly task?: Task;
  readonly prompt: string | null;
  /** Whether hypotheses are shown while it grows. */
  readonly partials: boolean;
  /** Whether finals say when each word was spoken. */
  readonly words: boolean;
  readonly urgency: Exclude<Urgency, 'partial'>;
  /** Where on the session's clock the first sample of this run stands. */
  readonly from: Samples;
}

/** A final begun before its time. */
interface Early {
  readonly end: Samples;
  readonly heard: Promise<Recognition>;
  readonly drop: () => void;
}

export class OpenUtterance {
  readonly #id: string;
  readonly #recogniser: Recogniser;
  readonly #settings: UtteranceSettings;
  readonly #partials: Partials | null;
  readonly #likelyLanguage: () => string | null;
  #early: Early | null = null;

  /**
   * @param carried What the utterance before leaves to it; `from` is `start` where that is nothing for sure.
   * @param likelyLanguage The language to expect, as far as it is known when it is asked for.
   */
  constructor(
    id: string,
    { from, start }: Beginning,
    carried: Promise<Carried | null>,
    hearing: Recogniser,
    settings: UtteranceSettings,
    likelyLanguage: () => string | null,
    emit: (draft: HintDraft) => void,
  ) {
    const recogniser = from < start ? continuing(hearing, carried, start - from) : hearing;
    this.#id = id;
    this.#likelyLanguage = likelyLanguage;
    this.#recogniser = recogniser;
    this.#settings = settings;
    const { language, task = 'transcribe', prompt, partials } = settings;
    const utterance = { id, start: this.#onSession(start) };
    this.#partials = partials
      ? new Partials(utterance, { recogniser, language, task, likelyLanguage, prompt, emit })
      : null;
    emit({ type: 'speech.started', utteranceId: id, startMs: toStreamMs(utterance.start) });
  }

  /** There is more of it. */
  grow({ audio, end }: Stretch): void {
    this.#partials?.offer(audio, this.#onSession(end));
  }

  /** The speaker pauses; what was said so far may be all. Recordings have no reader who waits. */
  pause(stretch: Stretch, signal: AbortSignal): void {
    if (this.#settings.urgency !== 'final') return;
    this.#early?.drop();
    this.#partials?.pause();
    const leaving = new AbortController();
    const heard = this.#recognise(stretch.audio, AbortSignal.any([signal, leaving.signal]));
    const early = { end: stretch.end, heard, drop: () => leaving.abort() };
    heard.then(
      (recognition) =>
        this.#early === early && this.#partials?.hear(recognition, this.#onSession(stretch.end)),
      () => {},
    );
    this.#early = early;
  }

  /** It is over. */
  async finish(stretch: Ended, signal: AbortSignal): Promise<Finished> {
    this.#partials?.stop();
    const { heard, carried } = await this.#final(stretch, signal);
    const { text, language, confidence } = heard;
    const span = {
      utteranceId: this.#id,
      startMs: toStreamMs(this.#onSession(stretch.start)),
      endMs: toStreamMs(this.#onSession(stretch.end)),
    };
    const reason = heard.suppressed ?? (text === '' ? 'no_speech' : null);
    if (reason) return { draft: { type: 'transcript.suppressed', ...span, reason, text }, heard, carried };
    const words = this.#settings.words ? heard.words?.map((word) => within(span, word)) : null;
    const final = { type: 'transcript.final', ...span, text, language, confidence } as const;
    return { draft: { ...final, ...(words && { words }) }, heard, carried };
  }

  /** Nobody waits for it any more. */
  drop(): void {
    this.#partials?.stop();
    this.#early?.drop();
  }

  get #settled(): string | null {
    return this.#partials?.settled ?? null;
  }

  async #final(ended: Ended, signal: AbortSignal): Promise<{ heard: Recognition; carried: Carried | null }> {
    const early = this.#early;
    if (ended.to > ended.end) {
      early?.drop();
      return await this.#untilCut(ended, signal);
    }
    if (early?.end === ended.end) return { heard: await early.heard, carried: null };
    early?.drop();
    return { heard: await this.#recognise(ended.audio, signal), carried: null };
  }

  /** Hears beyond the cut, since a word at it is known only by what follows, and keeps what was said before it. */
  async #untilCut(ended: Ended, signal: AbortSignal) {
    const { from, start, end, audio } = ended;
    // Words of a translation come in the order of English: which of them lie before the cut, no time can tell.
    if (this.#recogniser.keepsPrefix && this.#settings.task !== 'translate') {
      const heard = await this.#recognise(audio, signal, true);
      if (heard.suppressed !== null) return { heard, carried: null };
      const cutMs = toStreamMs(samples(end - start));
      const before = beforeCut(heard, audio.subarray(start - from), cutMs, this.#settled ?? '');
      if (before !== null) return { heard: { ...heard, ...before }, carried: before.carried };
    }
    // Nobody knows which words lie before the cut: it is heard up to there and no further.
    return { heard: await this.#recognise(audio.subarray(0, end - from), signal), carried: null };
  }

  #recognise(audio: Float32Array, signal: AbortSignal, words = this.#settings.words): Promise<Recognition> {
    const { language, task = 'transcribe', prompt, urgency } = this.#settings;
    const prefix = this.#settled;
    const draft = this.#partials?.draft ?? [];
    // A recording's utterances are heard once.
    const utterance = urgency === 'final' ? this.#id : null;
    const likelyLanguage = this.#likelyLanguage();
    const asked = { language, task, likelyLanguage, prompt, prefix, draft, utterance, words, urgency };
    return this.#recogniser.recognise({ audio, ...asked }, signal);
  }

  #onSession(local: Samples): Samples {
    return samples(this.#settings.from + local);
  }
}

/** A word of an utterance on the session's clock. Rounding must not take it out of its utterance. */
function within({ startMs, endMs }: { startMs: number; endMs: number }, word: Word): Word {
  const at = (ms: number): number => Math.min(startMs + ms, endMs);
  return { ...word, startMs: at(word.startMs), endMs: at(word.endMs) };
}
