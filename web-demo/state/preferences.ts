import type { SessionRequest } from '../../src/client/index.ts';
import { Observable } from './observable.ts';

const ANSWER_MODES = ['off', 'utterance', 'sessionEnd'] as const;

/** When the language model is asked. */
export type AnswerMode = (typeof ANSWER_MODES)[number];

const KEY = 'earshot.preferences';

/** Spoken languages to choose from; the gateway knows many more. */
export const SPOKEN_LANGUAGES = [
  'ko',
  'en',
  'ja',
  'zh',
  'es',
  'fr',
  'de',
  'pt',
  'it',
  'ru',
  'vi',
  'id',
] as const;

/** What is asked of every session made on this page. Kept for the next visit. */
export class Preferences extends Observable {
  #language = 'auto';
  #answers: AnswerMode = 'sessionEnd';
  #hasModel = true;
  #learned: Promise<void> = Promise.resolve();

  constructor() {
    super();
    try {
      const { language, answers } = JSON.parse(localStorage.getItem(KEY) ?? '{}');
      if (SPOKEN_LANGUAGES.includes(language)) this.#language = language;
      if (ANSWER_MODES.includes(answers)) this.#answers = answers;
    } catch {
      // Written by another version of the page: the defaults will do.
    }
  }

  /** BCP 47, or `auto`. */
  get language(): string {
    return this.#language;
  }

  set language(language: string) {
    this.#language = language;
    this.#keep();
  }

  /** What was chosen; `off` where the gateway has no language model to ask. */
  get answers(): AnswerMode {
    return this.#hasModel ? this.#answers : 'off';
  }

  set answers(answers: AnswerMode) {
    this.#answers = answers;
    this.#keep();
  }

  /** Whether the gateway has a language model. */
  get hasModel(): boolean {
    return this.#hasModel;
  }

  /** Learns whether it has one. Where it does not say, its own refusal will. */
  learn(hasModel: Promise<boolean>): void {
    this.#learned = hasModel.then(
      (has) => {
        this.#hasModel = has;
        this.changed();
      },
      () => {},
    );
  }

  /** The options of a new session, as soon as it is known what the gateway can do. */
  async request(): Promise<SessionRequest> {
    await this.#learned;
    const { language, answers } = this;
    return { language, ...(answers !== 'off' && { llm: QUESTIONS[answers] }) };
  }

  #keep(): void {
    localStorage.setItem(KEY, JSON.stringify({ language: this.#language, answers: this.#answers }));
    this.changed();
  }
}

const QUESTIONS = {
  sessionEnd: true,
  utterance: {
    trigger: 'utterance',
    instructions:
      'You are a friendly listener. Comment on what the speaker said in one short sentence, in the same language.',
    maxTokens: 64,
  },
} as const satisfies Record<Exclude<AnswerMode, 'off'>, SessionRequest['llm']>;
