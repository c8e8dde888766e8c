/**
 * A recogniser elsewhere, in the place of our own: any endpoint that speaks OpenAI's `/audio/transcriptions`, and
 * `/audio/translations` for sessions that are to be translated.
 */
import { Failure } from '../domain/failure.ts';
import { type Runner, WorkPool } from '../whisper/pool.ts';
import {
  ALLOWANCE_MS,
  type Recogniser,
  type Recognition,
  type RecognitionRequest,
} from '../whisper/recognition.ts';
import { Endpoint, type EndpointOptions, maxJobMs } from './endpoint.ts';
import { LANGUAGES } from './languages.ts';

export interface UpstreamOptions extends EndpointOptions {
  /** Requests in flight at a time. */
  readonly concurrency: number;
  /** Told when finals and recordings fail, for the operator's log: the cause says what the endpoint answered. */
  readonly onFailure: (failure: Failure) => void;
}

/** How many requests may wait for each in flight before partials and recordings are refused. */
const WAITING_PER_RUNNER = 16;

/**
 * Opens a recogniser that asks an endpoint. Nothing is sent before the first request. What the endpoint hears anew
 * each time need not begin as it did before, so nothing is settled before the final.
 */
export function openUpstreamRecogniser(options: UpstreamOptions): Recogniser {
  const { model, clock, concurrency, onFailure } = options;
  const endpoint = new Endpoint(options);
  const runners = Array.from({ length: concurrency }, () => new EndpointRunner(endpoint));
  const maxWaiting = WAITING_PER_RUNNER * concurrency;
  const pool = new WorkPool(runners, { clock, maxWaiting, maxJobMs: maxJobMs(options) });
  return {
    modelName: model,
    languages: LANGUAGES,
    keepsPrefix: false,
    translates: true,
    async recognise(asked, signal) {
      const { language, urgency } = asked;
      if (language !== null && !LANGUAGES.includes(language))
        throw new Failure('unsupported_option', `${model} is not asked for the language ${language}.`);
      // A copy: the request may wait while its caller's buffer moves on.
      const request = { ...asked, audio: asked.audio.slice() };
      try {
        const allowanceMs = ALLOWANCE_MS[urgency];
        return await pool.submit(request, { allowanceMs, refusable: urgency !== 'final', signal });
      } catch (error) {
        if (urgency !== 'partial' && !signal?.aborted && error instanceof Failure) onFailure(error);
        throw error;
      }
    },
    load: () => ({ workers: pool.workers, running: pool.running, waiting: pool.waiting, capacity: null }),
    close: () => pool.close(),
  };
}

/** One request at a time. */
class EndpointRunner implements Runner<RecognitionRequest, Recognition> {
  readonly #endpoint: Endpoint;
  #stop = new AbortController();

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  run(request: RecognitionRequest, signal: AbortSignal | undefined): Promise<Recognition> {
    const stops = [this.#stop.signal, ...(signal ? [signal] : [])];
    return this.#endpoint.transcribe(request, AbortSignal.any(stops));
  }

  /** Lets go of what it was doing, which is asked for no more. */
  async restart(): Promise<void> {
    this.#stop.abort(new Failure('recognition_failed', 'The speech recogniser did not answer in time.'));
    this.#stop = new AbortController();
  }

  async close(): Promise<void> {
    this.#stop.abort(new Failure('shutting_down', 'The gateway is stopping.'));
  }
}
