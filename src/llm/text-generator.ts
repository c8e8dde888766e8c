import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  AutoModelForCausalLM,
  AutoTokenizer,
  type DataType,
  env,
  InterruptableStoppingCriteria,
  LogitsProcessorList,
  type PreTrainedModel,
  type PreTrainedTokenizer,
  TextStreamer,
} from '@huggingface/transformers';
import type { FinishReason, Usage } from '../domain/event.ts';
import { Failure } from '../domain/failure.ts';
import { type Fitted, fitContext } from './fit-context.ts';
import type { LlmRequest } from './model.ts';
import { type PromptTensors, prefill } from './prefill.ts';
import { type Punctuation, punctuationOf, Steering } from './steering.ts';

export interface GeneratorOptions {
  /** A folder in the Hub's ONNX layout: tokenizer and config, the graph under `onnx/`. */
  readonly folder: string;
  /** Prompt and answer together. */
  readonly contextTokens: number;
}

/** How an answer ended. */
export interface Generated {
  readonly finishReason: FinishReason;
  readonly usage: Usage;
  readonly droppedChars: number;
}

/** Names of the graph's file by how its weights are kept, the smallest first. */
const GRAPHS: readonly (readonly [DataType, string])[] = [
  ['q4', 'model_q4.onnx'],
  ['q8', 'model_quantized.onnx'],
  ['fp16', 'model_fp16.onnx'],
  ['fp32', 'model.onnx'],
];

/** A causal language model on this thread's CPU, answering greedily: the same request, the same answer. */
export class TextGenerator {
  readonly #tokenizer: PreTrainedTokenizer;
  readonly #model: PreTrainedModel;
  readonly #contextTokens: number;
  readonly #punctuation: Punctuation;
  readonly #endTokens: readonly number[];

  private constructor(tokenizer: PreTrainedTokenizer, model: PreTrainedModel, contextTokens: number) {
    this.#tokenizer = tokenizer;
    this.#model = model;
    this.#contextTokens = contextTokens;
    this.#punctuation = punctuationOf(tokenizer);
    this.#endTokens = [model.generation_config?.eos_token_id ?? tokenizer.eos_token_id].flat();
  }

  /** Loads from the folder; nothing is ever fetched. @throws Error where the folder holds no such model. */
  static async load({ folder, contextTokens }: GeneratorOptions): Promise<TextGenerator> {
    env.allowRemoteModels = false;
    env.useFSCache = false;
    const graph = GRAPHS.find(([, file]) => existsSync(join(folder, 'onnx', file)));
    if (!graph) throw new Error(`${join(folder, 'onnx')} holds no graph of a known name`);
    const tokenizer = await AutoTokenizer.from_pretrained(folder);
    const model = await AutoModelForCausalLM.from_pretrained(folder, {
      dtype: graph[0],
      device: 'cpu',
      // The other cores are the recogniser's.
      session_options: { intraOpNumThreads: 1, interOpNumThreads: 1 },
    });
    return new TextGenerator(tokenizer, model, contextTokens);
  }

  /**
   * Answers, handing out text as soon as whole words are there.
   * @throws The signal's reason when aborted, seen between any two tokens; Failure `bad_request` where the
   * instructions leave no room for a transcript.
   */
  async generate(
    request: LlmRequest,
    onText: (text: string) => void,
    signal: AbortSignal,
  ): Promise<Generated> {
    const maxTokens = Math.min(request.maxTokens, Math.floor(this.#contextTokens / 2));
    const { text, droppedChars } = this.#fit(request, maxTokens);
    const prompt = this.#prompt(request.instructions, text);
    const promptTokens = prompt.input_ids.dims[1]!;
    const cache = await prefill(this.#model, prompt, signal);

    const answer: number[] = [];
    const streamer = new TextStreamer(this.#tokenizer, {
      skip_prompt: true,
      callback_function: onText,
      token_callback_function: (tokens) => answer.push(...tokens.map(Number)),
    });
    const steering = new LogitsProcessorList();
    steering.push(new Steering(promptTokens, this.#endTokens, this.#punctuation));
    const interrupt = new InterruptableStoppingCriteria();
    const onAbort = () => interrupt.interrupt();
    signal.addEventListener('abort', onAbort, { once: true });
    await this.#model.generate({
      ...prompt,
      ...(cache && { past_key_values: cache }),
      max_new_tokens: maxTokens,
      do_sample: false,
      streamer,
      logits_processor: steering,
      stopping_criteria: interrupt,
    });
    signal.removeEventListener('abort', onAbort);
    signal.throwIfAborted();
    return {
      finishReason: this.#endTokens.includes(answer.at(-1)!) ? 'stop' : 'length',
      usage: { promptTokens, completionTokens: answer.length },
      droppedChars,
    };
  }

  #fit({ instructions, transcript }: LlmRequest, maxTokens: number): Fitted {
    const roomTokens = this.#contextTokens - maxTokens - this.#prompt(instructions, '').input_ids.dims[1]!;
    const fitted = fitContext(transcript, roomTokens, (text) => this.#tokenizer.encode(text).length);
    if (fitted.text === '' && transcript !== '')
      throw new Failure('bad_request', 'The instructions leave no room for a transcript; shorten them.');
    return fitted;
  }

  /**
   * Instructions and transcript in one user message, under the template's own system message. A model this small
   * mostly ignores instructions given as the system message, and echoes those that follow the text.
   */
  #prompt(instructions: string, transcript: string): PromptTensors {
    return this.#tokenizer.apply_chat_template(
      [{ role: 'user', content: `${instructions}\n\n${transcript}` }],
      {
        add_generation_prompt: true,
      },
    ) as PromptTensors;
  }
}
