import OpenAI from 'openai';
import type { TranscriptionCreateParamsNonStreaming } from 'openai/resources/audio/transcriptions';
import type { Task } from '../domain/options.ts';
import { type Clock, sleep } from '../flow/clock.ts';
import type { Recognition, RecognitionRequest, Urgency } from '../whisper/recognition.ts';
import { answerSchema, recognitionOf } from './answer.ts';
import { refusalOf, TooSlow } from './refusal.ts';
import { wavOf } from './wav.ts';

export interface EndpointOptions {
  /** What stands before `/audio/transcriptions`: `https://api.openai.com/v1`, `http://localhost:8000/v1`. */
  readonly baseUrl: string;
  /** Null where the endpoint asks for none. */
  readonly apiKey: string | null;
  readonly model: string;
  /** The longest one answer may take; a partial that takes longer than 10 s is given up in any case. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** After so long nobody wants a hypothesis any more. */
const MAX_PARTIAL_MS = 10_000;

/**
 * How often something is asked for, and how long a wait between is worth it. A partial is soon followed by the
 * next; a recording has nobody who waits for it, and has come a long way.
 */
const PATIENCE: Readonly<Record<Urgency, { tries: number; maxWaitMs: number }>> = {
  partial: { tries: 1, maxWaitMs: 0 },
  final: { tries: 3, maxWaitMs: 5_000 },
  recording: { tries: 6, maxWaitMs: 30_000 },
};
/** The wait before the second try; doubled before each further one. */
const RETRY_MS = 500;

/** More than all tries for one piece of audio take together. */
export const maxJobMs = ({ timeoutMs }: EndpointOptions): number =>
  PATIENCE.recording.tries * (timeoutMs + PATIENCE.recording.maxWaitMs);

/**
 * Forms of an answer, the fullest first: words with times; language and segments; how probable its tokens are;
 * text alone. Which of them an endpoint takes depends on the server and its model.
 */
const FORMS: Readonly<Record<FormName, Form>> = {
  words: { response_format: 'verbose_json', timestamp_granularities: ['word', 'segment'] },
  verbose: { response_format: 'verbose_json' },
  probabilities: { response_format: 'json', include: ['logprobs'] },
  text: { response_format: 'json' },
};
/** Translations come in these alone: no times of words, no probabilities of tokens. */
const TRANSLATED: ReadonlySet<FormName> = new Set(['verbose', 'text']);
type FormName = 'words' | 'verbose' | 'probabilities' | 'text';
type Form = Pick<
  TranscriptionCreateParamsNonStreaming,
  'response_format' | 'timestamp_granularities' | 'include'
>;
const FULLEST_FIRST: readonly FormName[] = ['words', 'verbose', 'probabilities', 'text'];

const fits = (form: FormName, words: boolean, task: Task | undefined): boolean =>
  task === 'translate' ? TRANSLATED.has(form) : words || form !== 'words';

/** An endpoint that speaks OpenAI's `/audio/transcriptions`: vLLM, speaches, the cloud. */
export class Endpoint {
  readonly #client: OpenAI;
  readonly #options: EndpointOptions;
  /** Forms it has refused where it took a lesser one. */
  readonly #refused = new Set<FormName>();

  constructor(options: EndpointOptions) {
    this.#options = options;
    // What is not given here the library would take from the environment. Its own retries cannot be aborted.
    this.#client = new OpenAI({
      baseURL: options.baseUrl,
      apiKey: options.apiKey ?? 'none',
      organization: null,
      project: null,
      maxRetries: 0,
      timeout: maxJobMs(options),
      logLevel: 'off',
    });
  }

  /**
   * Has one piece of audio recognised, asking again where that may help.
   * @throws Failure `overloaded` or `recognition_failed`, without a word of the endpoint's; the signal's reason.
   */
  async transcribe(request: RecognitionRequest, signal: AbortSignal): Promise<Recognition> {
    const { clock } = this.#options;
    const { tries, maxWaitMs } = PATIENCE[request.urgency];
    for (let tried = 1; ; tried++) {
      try {
        return await this.#ask(request, this.#formsFor(request), signal);
      } catch (error) {
        signal.throwIfAborted();
        const { kind, retryAfterMs, failure } = refusalOf(error, clock.now());
        const waitMs = retryAfterMs ?? RETRY_MS * 2 ** (tried - 1);
        if (kind !== 'passing' || tried >= tries || waitMs > maxWaitMs) throw failure;
        await sleep(clock, waitMs, signal);
      }
    }
  }

  /** The forms worth asking for. The last has no lesser one, so it is always among them. */
  #formsFor({ words, task }: RecognitionRequest): FormName[] {
    return FULLEST_FIRST.filter((form) => !this.#refused.has(form) && fits(form, words, task));
  }

  /** Asks for the first of `forms` that the endpoint takes, and remembers which it does not. */
  async #ask(
    request: RecognitionRequest,
    [form, ...lesser]: readonly FormName[],
    signal: AbortSignal,
  ): Promise<Recognition> {
    try {
      return await this.#send(FORMS[form!], request, signal);
    } catch (error) {
      if (lesser.length === 0 || refusalOf(error, 0).kind !== 'form') throw error;
      const heard = await this.#ask(request, lesser, signal);
      this.#refused.add(form!);
      return heard;
    }
  }

  async #send(form: Form, request: RecognitionRequest, signal: AbortSignal): Promise<Recognition> {
    const { model, timeoutMs, clock } = this.#options;
    const { audio, language, task, prompt, urgency } = request;
    const { transcriptions, translations } = this.#client.audio;
    const limitMs = urgency === 'partial' ? Math.min(timeoutMs, MAX_PARTIAL_MS) : timeoutMs;
    const late = new AbortController();
    const cancel = clock.after(limitMs, () => late.abort(new TooSlow(limitMs)));
    try {
      const file = new File([wavOf(audio)], 'speech.wav', { type: 'audio/wav' });
      const asked = { file, model, ...(prompt !== null && { prompt }) };
      const options = { signal: AbortSignal.any([signal, late.signal]) };
      // Translations take no language: the endpoint finds out by itself what is spoken.
      const answer: unknown =
        task === 'translate'
          ? await translations.create(
              {
                ...asked,
                response_format: form.response_format === 'verbose_json' ? 'verbose_json' : 'json',
              },
              options,
            )
          : await transcriptions.create(
              { ...asked, ...form, ...(language !== null && { language }) },
              options,
            );
      return recognitionOf(answerSchema.parse(answer), request);
    } catch (error) {
      throw late.signal.aborted ? late.signal.reason : error;
    } finally {
      cancel();
    }
  }
}
