/**
 * The language model's part of a session: it is asked for each utterance, or once at the end. Answers follow
 * one another in a line of their own, so a slow or broken model never holds up a word of the transcript.
 */
import type { DurableDraft } from '../domain/event.ts';
import type { NewId } from '../domain/ids.ts';
import type { LlmOptions, SessionOptions, Task } from '../domain/options.ts';
import { joinText } from '../domain/session.ts';
import type { Clock } from '../flow/clock.ts';
import { type AnswerLimits, answer } from '../llm/answer.ts';
import type { LanguageModel } from '../llm/model.ts';
import type { Journal } from './journal.ts';

/** Utterances that may wait for an answer; later ones are told at once that they get none. */
const ANSWERS_WAITING = 16;

type Final = Extract<DurableDraft, { type: 'transcript.final' }>;

export interface AnswersParts {
  readonly llm: LanguageModel | null;
  readonly limits: AnswerLimits;
  readonly clock: Clock;
  readonly newId: NewId;
}

export class Answers {
  readonly #options: LlmOptions | null;
  readonly #task: Task;
  readonly #journal: Journal;
  readonly #parts: AnswersParts;
  readonly #stop = new AbortController();
  readonly #finals: { text: string; language: string }[];
  #waiting = 0;
  #last: Promise<void> = Promise.resolve();

  /** @param earlier Finals from before this node took the session up, in order. */
  constructor(
    { llm, task }: Pick<SessionOptions, 'llm' | 'task'>,
    journal: Journal,
    parts: AnswersParts,
    earlier: readonly { text: string; language: string }[],
  ) {
    this.#options = llm;
    this.#task = task;
    this.#journal = journal;
    this.#parts = parts;
    this.#finals = [...earlier];
  }

  /** A final has been stored. */
  heard(final: Final): void {
    const { text, language } = final;
    // Nothing is kept of a long session that nobody will ask about.
    if (this.#options?.trigger === 'sessionEnd') this.#finals.push({ text, language });
    if (this.#options?.trigger === 'utterance') this.#ask(final.text, final.utteranceId);
  }

  /** No more finals come: asks for the answer to the whole, where one is wanted, and waits for all answers. */
  async finish(): Promise<void> {
    if (this.#options?.trigger === 'sessionEnd' && this.#finals.length > 0)
      this.#ask(joinText(this.#finals, this.#task), null);
    await this.#last;
  }

  /** Breaks off what is being answered, each with its `llm.failed`; settles, never rejects, when these are stored. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#last.catch(() => {});
  }

  #ask(transcript: string, utteranceId: string | null): void {
    const responseId = this.#parts.newId('rsp');
    if (this.#waiting >= ANSWERS_WAITING) {
      const message = 'The language model is too far behind to answer this utterance.';
      const refusal: DurableDraft = {
        type: 'llm.failed',
        responseId,
        utteranceId,
        code: 'llm_overloaded',
        message,
      };
      this.#last = this.#last.then(() => this.#journal.write(refusal));
      return;
    }
    this.#waiting++;
    this.#last = this.#last
      .then(() => this.#answer(transcript, responseId, utteranceId))
      .finally(() => this.#waiting--);
    // Whoever waits in finish() learns of a failed write; nobody else needs to.
    this.#last.catch(() => {});
  }

  async #answer(transcript: string, responseId: string, utteranceId: string | null): Promise<void> {
    const { llm, limits, clock } = this.#parts;
    if (!llm || !this.#options) return;
    const { instructions, maxTokens } = this.#options;
    const request = { instructions, transcript, maxTokens };
    const context = { responseId, utteranceId, clock, ...limits };
    for await (const draft of answer(llm, request, context, this.#stop.signal))
      await this.#journal.write(draft);
  }
}
