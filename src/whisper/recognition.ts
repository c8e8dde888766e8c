/** What the rest of the house knows of recognition: a stretch of audio in, words out. */
import type { SuppressionReason, Word } from '../domain/event.ts';
import type { Task } from '../domain/options.ts';

/**
 * How pressing a piece of work is. Finals come before partials, partials before recordings; within a kind,
 * the earlier deadline first.
 */
export type Urgency = 'final' | 'partial' | 'recording';

/** How long each kind of work may wait at best: the order of the queue, and what keeps anything from starving. */
export const ALLOWANCE_MS: Readonly<Record<Urgency, number>> = {
  final: 0,
  partial: 2_000,
  recording: 30_000,
};

export interface RecognitionRequest {
  /** 16 kHz mono in −1…1; at most {@link MAX_WINDOW_SAMPLES}. Copied to the worker, so it may be a view. */
  readonly audio: Float32Array;
  /** A language the model knows, as its two- or three-letter code; null to have it detected. */
  readonly language: string | null;
  /** `transcribe` where it is left out. */
  readonly task?: Task;
  /**
   * The language that was spoken until now; taken where detection is unsure, and what is heard hesitantly in
   * another is withheld. Null where none is expected.
   */
  readonly likelyLanguage: string | null;
  /** Text the decoder is to take as having come before: names and terms to expect. */
  readonly prompt: string | null;
  /** Text the result is to begin with, letter for letter: what was shown as settled. Null for none. */
  readonly prefix: string | null;
  /**
   * The `tokens` of an earlier hypothesis of the same utterance; empty for none. Checked in one pass and kept as
   * far as it still holds: the result is the same as without, only sooner.
   */
  readonly draft: readonly number[];
  /**
   * Names the utterance whose beginning `audio` is, up to now; null where there will be no other request for it.
   * What was computed for one request is used for the next, and requests with one name prefer one worker.
   */
  readonly utterance: string | null;
  /** Whether the words and their times are wanted: one more pass of the decoder over the whole text. */
  readonly words: boolean;
  readonly urgency: Urgency;
}

/** Whisper's window: 30 s. */
export const MAX_WINDOW_SAMPLES = 480_000;

/** The language tag of what may be any language (ISO 639-2). */
export const UNDETERMINED = 'und';

/** What was heard. */
export interface Recognition {
  /** Trimmed; empty where nothing was said. */
  readonly text: string;
  /** What was spoken, as asked for or as detected; {@link UNDETERMINED} where the recogniser says neither. */
  readonly language: string;
  /** Mean probability of the chosen tokens, 0–1; null where the recogniser does not say. */
  readonly confidence: number | null;
  /**
   * The words of `text`, their times counted from the start of the audio; none where it is suppressed. Null where
   * they were not asked for, or the model names no heads to align by.
   */
  readonly words: readonly Word[] | null;
  /**
   * What was decoded, and what was held back as too new, to be the `draft` of the next request. Means nothing to anybody
   * but the recogniser.
   */
  readonly tokens: readonly number[];
  /** Set where a guard says that `text` was most likely invented: it must not be shown as speech. */
  readonly suppressed: SuppressionReason | null;
}

export interface RecogniserLoad {
  readonly workers: number;
  readonly running: number;
  readonly waiting: number;
  /** People who speak without a pause that it can follow, as measured when it was opened; null where unknown. */
  readonly capacity: number | null;
}

/** Turns audio into words. Holds no state between requests that a caller could notice. */
export interface Recogniser {
  /** Shown as `model` in sessions, e.g. `whisper-base`. */
  readonly modelName: string;
  /** Codes of the languages the model knows, e.g. `en`, `ko`. */
  readonly languages: readonly string[];
  /**
   * Whether a result begins with the request's `prefix`, letter for letter. Where it need not, nothing that was
   * shown may be called settled, since the next result may take it back.
   */
  readonly keepsPrefix: boolean;
  /** Whether it can put what is said into English; left out where it cannot. */
  readonly translates?: boolean;
  /**
   * @param signal Takes the request out of the queue, or stops it between two tokens.
   * @throws Failure `unsupported_option` for a language or a task beyond it, `overloaded` where the queue is full (partials and recordings only), `recognition_failed`
   * where a worker died twice over the same request or an upstream did not answer; the signal's reason when aborted.
   */
  recognise(request: RecognitionRequest, signal?: AbortSignal): Promise<Recognition>;
  load(): RecogniserLoad;
  close(): Promise<void>;
}
