/** The language model, whichever it is: a transcript in, text piece by piece out. */
import type { FinishReason, Usage } from '../domain/event.ts';

export interface LlmRequest {
  /** The system instruction. */
  readonly instructions: string;
  /** What was said; cut at its beginning where the model's context is too short for it. */
  readonly transcript: string;
  readonly maxTokens: number;
}

export type LlmPiece =
  | { readonly kind: 'delta'; readonly text: string }
  | {
      /** Always the last piece. */
      readonly kind: 'done';
      readonly finishReason: FinishReason;
      readonly usage: Usage;
      /** Characters of the transcript's beginning that did not fit. */
      readonly droppedChars: number;
    };

export interface LanguageModel {
  /** For logs and the health page. */
  readonly name: string;
  /**
   * Streams an answer. Ends early, by throwing the signal's reason, when aborted.
   * @throws Failure `llm_unavailable`, `llm_overloaded`, `llm_truncated` (the stream ended before its end mark) or
   * `bad_request` (the instructions leave no room for a transcript).
   */
  generate(request: LlmRequest, signal: AbortSignal): AsyncIterable<LlmPiece>;
  /** Gets ready ahead of the first request, where that takes time. */
  load?(): Promise<void>;
  close(): Promise<void>;
}
