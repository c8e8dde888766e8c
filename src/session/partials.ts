/**
 * Hypotheses of the utterance being spoken. At most one is in the works; when it comes back the next is made of
 * whatever audio there is by then, so a slow machine shows fewer of them and never an old one (latest wins).
 */
import type { HintDraft } from '../domain/event.ts';
import type { Task } from '../domain/options.ts';
import { type Samples, toSamples, toStreamMs } from '../domain/time.ts';
import { type Recogniser, type Recognition, UNDETERMINED } from '../whisper/recognition.ts';
import { type Stability, settle, shownOf, UNSETTLED } from '../whisper/stability.ts';

/** New audio between one hypothesis and the next. */
export const CADENCE = toSamples(500);
/** The same while somebody waits for the first words: they are few, and cost little to look for. */
const FIRST_CADENCE = toSamples(150);
/** The first words are looked for from so much audio on, some of it from before the speech, … */
const EARLIEST = toSamples(450);
/** … to so much: what nothing was made of by then is rarely speech. */
const LATEST = toSamples(1_500);
export const SLOWEST_CADENCE = toSamples(1_000);
/** Where more than a third of the cadence comes in while a hypothesis is in the works, the next ones are rarer. */
const SHARE_OF_CADENCE = 1 / 3;

/** From so much audio on, the language heard is taken for that of the utterance; the final asks anew. */
const TELLING = toSamples(1_500);

export interface PartialsParts {
  readonly recogniser: Recogniser;
  readonly language: string | null;
  readonly task: Task;
  readonly likelyLanguage: () => string | null;
  readonly prompt: string | null;
  readonly emit: (draft: HintDraft) => void;
}

export class Partials {
  readonly #parts: PartialsParts;
  readonly #utterance: { readonly id: string; readonly start: Samples };
  #isOver = false;
  /** Ends the hypothesis in the works; null where there is none. */
  #working: AbortController | null = null;
  /** Audio that came in while the last hypothesis was in the works, waiting included. */
  #missed = 0;
  #newest: { readonly audio: Float32Array; readonly end: Samples } | null = null;
  #heardUntil: Samples;
  #stability: Stability = UNSETTLED;
  #draft: readonly number[] = [];
  #language: string | null = null;
  #shown = '';

  /** @param utterance Its id, and where it starts on the session's clock. */
  constructor(utterance: { id: string; start: Samples }, parts: PartialsParts) {
    this.#utterance = utterance;
    this.#parts = parts;
    this.#heardUntil = utterance.start;
  }

  /** Text already shown as settled, which the final must begin with; null for none. */
  get settled(): string | null {
    return this.#stability.settled || null;
  }

  /** The last hypothesis, for the recogniser to begin with. */
  get draft(): readonly number[] {
    return this.#draft;
  }

  /** Tells of the utterance as it now stands; a hypothesis is made of it when one is due. */
  offer(audio: Float32Array, end: Samples): void {
    this.#newest = { audio, end };
    this.#next();
  }

  /** The speaker pauses, and the final is begun: a hypothesis of the same audio would only be in its way. */
  pause(): void {
    this.#newest = null;
    this.#working?.abort();
  }

  /** What the early final heard, up to `end`: shown as it is, since a word before a pause is whole. */
  hear(heard: Recognition, end: Samples): void {
    if (this.#isOver || heard.suppressed !== null || heard.text === '') return;
    if (!heard.text.startsWith(this.#stability.settled)) return;
    this.#heardUntil = end;
    this.#take(heard, heard.text, end);
  }

  /** The utterance is over: nothing more is shown of it. */
  stop(): void {
    this.#isOver = true;
    this.pause();
  }

  #next(): void {
    if (this.#working || this.#isOver || !this.#newest) return;
    const { audio, end } = this.#newest;
    if (audio.length < EARLIEST || end - this.#heardUntil < this.#cadence(audio)) return;
    const working = new AbortController();
    this.#working = working;
    this.#heardUntil = end;
    this.#hypothesise(audio, end, working.signal)
      // Too much to do, or a worker lost: the next hypothesis makes up for this one, and the final tells of trouble.
      .catch(() => {})
      .finally(() => {
        this.#working = null;
        this.#missed = (this.#newest?.end ?? end) - end;
        this.#next();
      });
  }

  #cadence(audio: Float32Array): number {
    const isFirst = this.#shown === '' && audio.length < LATEST;
    const wanted = isFirst ? FIRST_CADENCE : CADENCE;
    return Math.max(wanted, Math.min(this.#missed / SHARE_OF_CADENCE, SLOWEST_CADENCE));
  }

  async #hypothesise(audio: Float32Array, end: Samples, signal: AbortSignal): Promise<void> {
    const { recogniser, language, task, likelyLanguage, prompt } = this.#parts;
    const prefix = this.settled;
    const { draft } = this;
    const { id: utterance } = this.#utterance;
    const asked = { task, prompt, prefix, draft, utterance, words: false, urgency: 'partial' } as const;
    const languages = { language: language ?? this.#language, likelyLanguage: likelyLanguage() };
    const request = { audio, ...languages, ...asked };
    const heard = await recogniser.recognise(request, signal);
    if (signal.aborted || heard.suppressed !== null || heard.text === '') return;
    if (audio.length >= TELLING && heard.language !== UNDETERMINED) this.#language = heard.language;
    this.#take(heard, shownOf(heard.text, this.#stability), end);
  }

  #take(heard: Recognition, text: string, end: Samples): void {
    const { recogniser, emit } = this.#parts;
    const { settled } = this.#stability;
    this.#draft = heard.tokens;
    const next = settle(this.#stability, heard.text, heard.confidence);
    this.#stability = recogniser.keepsPrefix ? next : { ...next, settled: '' };
    if (text === this.#shown && this.#stability.settled === settled) return;
    this.#shown = text;
    emit({
      type: 'transcript.partial',
      utteranceId: this.#utterance.id,
      startMs: toStreamMs(this.#utterance.start),
      endMs: toStreamMs(end),
      text,
      stableChars: this.#stability.settled.length,
    });
  }
}
