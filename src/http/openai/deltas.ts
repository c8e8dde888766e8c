/** A transcription as it comes: `transcript.text.delta` for each final, one `transcript.text.done`, and `[DONE]`. */
import { Failure } from '../../domain/failure.ts';
import { joinText, type SessionRecord } from '../../domain/session.ts';
import { type FollowParts, follow } from '../../session/follow.ts';
import { openAiErrorOf } from './problem.ts';
import { usageOf } from './transcript.ts';

const frame = (data: object): string => `data: ${JSON.stringify(data)}\n\n`;

/** The last frame, after which the vendor's clients read no more. */
const END = 'data: [DONE]\n\n';

/**
 * Frames of server-sent events, without names, ids or `retry`: the vendor's Python client takes a frame without data for
 * one that is not JSON. What fails once it has begun is told in a frame, as its status is long gone.
 * @param onError Told what went wrong beyond the session's own failure.
 */
export async function* deltaFrames(
  { id, options: { task } }: SessionRecord,
  parts: FollowParts,
  signal: AbortSignal,
  onError: (error: unknown) => void,
): AsyncGenerator<string, void, undefined> {
  let text = '';
  try {
    for await (const event of follow(id, 0, parts, signal)) {
      switch (event.type) {
        case 'transcript.final': {
          const longer = joinText([{ text, language: '' }, event], task);
          yield frame({ type: 'transcript.text.delta', delta: longer.slice(text.length) });
          text = longer;
          break;
        }
        case 'session.done': {
          const usage = usageOf(event.receipt.receivedMs);
          yield frame({ type: 'transcript.text.done', text, usage });
          yield END;
          return;
        }
        case 'session.failed':
          throw new Failure(event.error.code, event.error.message);
      }
    }
    if (!signal.aborted) throw new Failure('not_found', 'The session was deleted before it had ended.');
  } catch (error) {
    onError(error);
    yield frame({ error: openAiErrorOf(error) });
  }
}
