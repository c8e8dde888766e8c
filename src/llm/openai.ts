import OpenAI from 'openai';
import type { ChatCompletionCreateParamsStreaming } from 'openai/resources/chat/completions';
import { Failure } from '../domain/failure.ts';
import { type Clock, sleep } from '../flow/clock.ts';
import { approximateTokens } from './approximate-tokens.ts';
import { fitContext } from './fit-context.ts';
import type { LanguageModel, LlmPiece, LlmRequest } from './model.ts';
import { refusalOf } from './openai-refusal.ts';
import { piecesOf } from './openai-stream.ts';
import { Turns } from './turns.ts';

export interface OpenAiOptions {
  /** What stands before `/chat/completions`: `https://api.openai.com/v1`, `http://localhost:11434/v1`. */
  readonly baseUrl: string;
  /** Null where the endpoint asks for none. */
  readonly apiKey: string | null;
  readonly model: string;
  /** What the model's context holds, prompt and answer together. */
  readonly contextTokens: number;
  readonly clock: Clock;
  /** Requests in flight at a time; four times as many may wait. */
  readonly maxConcurrent?: number;
}

/** Requests sent for one answer at the most, all before its first token. */
const MAX_TRIES = 3;
/** The wait before the second try; doubled before each further one. */
const RETRY_MS = 500;
/** An endpoint that wants a longer wait is not waited for. */
const MAX_RETRY_MS = 5_000;
/** Role marks and the like, around the two messages. */
const TEMPLATE_TOKENS = 32;

/** A request as far as it is fitted to the endpoint. */
interface Draft {
  readonly instructions: string;
  readonly transcript: string;
  readonly droppedChars: number;
  readonly maxTokens: number;
}

/** A model behind any endpoint that speaks OpenAI's chat completions: vLLM, Ollama, llama.cpp, the cloud. */
export class OpenAiLanguageModel implements LanguageModel {
  readonly name: string;
  readonly #client: OpenAI;
  readonly #clock: Clock;
  readonly #contextTokens: number;
  readonly #turns: Turns;
  readonly #closing = new AbortController();
  /** OpenAI's reasoning models take only the newer name; many other servers know only the older. */
  #limitName: 'max_tokens' | 'max_completion_tokens' = 'max_tokens';

  constructor({ baseUrl, apiKey, model, contextTokens, clock, maxConcurrent = 32 }: OpenAiOptions) {
    this.name = model;
    this.#clock = clock;
    this.#contextTokens = contextTokens;
    this.#turns = new Turns(maxConcurrent, 4 * maxConcurrent);
    // What is not given here the library would take from the environment. Its own retries cannot be aborted.
    this.#client = new OpenAI({
      baseURL: baseUrl,
      apiKey: apiKey ?? 'none',
      organization: null,
      project: null,
      maxRetries: 0,
      logLevel: 'off',
    });
  }

  async *generate(request: LlmRequest, signal: AbortSignal): AsyncGenerator<LlmPiece, void, undefined> {
    const stop = AbortSignal.any([signal, this.#closing.signal]);
    const giveTurn = await this.#turns.take(stop);
    try {
      const { stream, draft } = await this.#open(request, stop);
      yield* piecesOf(stream, draft, stop);
    } finally {
      giveTurn();
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(new Failure('shutting_down', 'The gateway is stopping.'));
  }

  /** Sends until the endpoint takes it, mending what it objects to. */
  async #open(request: LlmRequest, signal: AbortSignal) {
    let draft = this.#fit(request, this.#roomTokens(request));
    if (draft.transcript === '' && request.transcript !== '')
      throw new Failure('bad_request', 'The instructions leave no room for a transcript; shorten them.');
    let cut = false;
    for (let tries = 1; ; tries++) {
      try {
        return { stream: await this.#send(draft, signal), draft };
      } catch (error) {
        signal.throwIfAborted();
        const refusal = refusalOf(error, this.#clock.now());
        const waitMs = refusal.retryAfterMs ?? RETRY_MS * 2 ** (tries - 1);
        if (tries === MAX_TRIES) throw refusal.failure;
        else if (refusal.kind === 'passing' && waitMs <= MAX_RETRY_MS)
          await sleep(this.#clock, waitMs, signal);
        else if (refusal.kind === 'limit_name') this.#limitName = 'max_completion_tokens';
        else if (refusal.kind === 'too_long' && !cut) {
          // Its tokenizer is not known, only that the estimate fell short.
          draft = this.#fit(request, Math.floor(approximateTokens(draft.transcript) / 2));
          if (draft.transcript === '') throw refusal.failure;
          cut = true;
        } else throw refusal.failure;
      }
    }
  }

  #send({ instructions, transcript, maxTokens }: Draft, signal: AbortSignal) {
    const body: ChatCompletionCreateParamsStreaming = {
      model: this.name,
      messages: [
        { role: 'system', content: instructions },
        { role: 'user', content: transcript },
      ],
      [this.#limitName]: maxTokens,
      stream: true,
      stream_options: { include_usage: true },
    };
    return this.#client.chat.completions.create(body, { signal });
  }

  #answerTokens(request: LlmRequest): number {
    return Math.min(request.maxTokens, Math.floor(this.#contextTokens / 2));
  }

  /** What the context has left for the transcript. */
  #roomTokens(request: LlmRequest): number {
    const aroundTokens = approximateTokens(request.instructions) + TEMPLATE_TOKENS;
    return this.#contextTokens - this.#answerTokens(request) - aroundTokens;
  }

  #fit(request: LlmRequest, roomTokens: number): Draft {
    const { instructions, transcript } = request;
    const { text, droppedChars } = fitContext(transcript, roomTokens, approximateTokens);
    return { instructions, transcript: text, droppedChars, maxTokens: this.#answerTokens(request) };
  }
}
