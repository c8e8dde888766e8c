/**
 * One answer of the language model, as the events of a session: groups of tokens, then exactly one end. Whatever
 * the model does (stalls, breaks off, fails, ignores its abort), the end comes, and in time.
 */
import type { DurableDraft } from '../domain/event.ts';
import type { Clock } from '../flow/clock.ts';
import { type HeardEnd, Hearing, type HearingLimits } from './hearing.ts';
import type { LanguageModel, LlmRequest } from './model.ts';

/** How long an answer may take, and how finely it is told. All in milliseconds. */
export interface AnswerLimits extends HearingLimits {
  /** At most one `llm.token` in so long a time: each is stored, so a fast model's tokens go in groups. */
  readonly groupMs: number;
}

export interface AnswerContext extends AnswerLimits {
  readonly responseId: string;
  /** Null when the answer is to the whole session. */
  readonly utteranceId: string | null;
  readonly clock: Clock;
}

/**
 * Asks `model` and yields `llm.token` drafts (`index` from 0), then one `llm.done`, whose text is the deltas
 * joined, or one `llm.failed`. Never throws. A reader that leaves early stops the model.
 * @param signal Breaks the answer off. Its reason, where it is a Failure, becomes the `llm.failed`; any other
 * reason is reported as `shutting_down`.
 */
export async function* answer(
  model: LanguageModel,
  request: LlmRequest,
  context: AnswerContext,
  signal: AbortSignal,
): AsyncGenerator<DurableDraft, void, undefined> {
  const { responseId, utteranceId, clock, groupMs } = context;
  const hearing = new Hearing(model, request, context, clock, signal);
  let text = '';
  let index = 0;
  let groupOpensMs = clock.monotonicMs();
  try {
    for (;;) {
      const waitMs = groupOpensMs - clock.monotonicMs();
      if (hearing.hasText && (waitMs <= 0 || hearing.end)) {
        const delta = hearing.take();
        text += delta;
        groupOpensMs = clock.monotonicMs() + groupMs;
        yield { type: 'llm.token', responseId, utteranceId, index: index++, delta };
      } else if (hearing.end) {
        yield { ...draftOf(hearing.end, text), responseId, utteranceId };
        return;
      } else {
        await hearing.change(hearing.hasText ? waitMs : null);
      }
    }
  } finally {
    hearing.stop();
  }
}

function draftOf(end: HeardEnd, text: string) {
  if (end.kind === 'failed') return { type: 'llm.failed' as const, ...end.report };
  const { finishReason, usage, droppedChars } = end;
  return { type: 'llm.done' as const, text, finishReason, usage, ...(droppedChars > 0 && { droppedChars }) };
}
