/** What the Realtime interface sends, in OpenAI's shapes; the connection gives each event its id. */
import { joinText } from '../../domain/session.ts';
import type { OpenAiError } from './problem.ts';
import type { RealtimeSettings } from './realtime-config.ts';

/** A session as clients see it. */
export type SessionObject = RealtimeSettings & {
  readonly id: string;
  readonly object: 'realtime.transcription_session';
  /** Seconds since 1970. */
  readonly expires_at: number;
};

/** A stretch of speech: what a transcript belongs to. */
export interface Item {
  readonly id: string;
  readonly object: 'realtime.item';
  readonly type: 'message';
  readonly status: 'completed';
  readonly role: 'user';
  readonly content: readonly [{ readonly type: 'input_audio'; readonly transcript: null }];
}

/** What was said in an utterance. */
export interface Said {
  readonly text: string;
  /** BCP 47; `und` where it is not known. */
  readonly language: string;
}

/** Where in an item its audio is: an item of ours has one part. */
const PART = { content_index: 0 } as const;

/** Positions are milliseconds of all audio written over the connection. */
export type ServerEvent =
  | { readonly type: 'session.created' | 'session.updated'; readonly session: SessionObject }
  | {
      readonly type: 'input_audio_buffer.speech_started';
      readonly item_id: string;
      readonly audio_start_ms: number;
    }
  | {
      readonly type: 'input_audio_buffer.speech_stopped';
      readonly item_id: string;
      readonly audio_end_ms: number;
    }
  | {
      readonly type: 'input_audio_buffer.committed';
      readonly item_id: string;
      readonly previous_item_id: string | null;
    }
  | { readonly type: 'input_audio_buffer.cleared' }
  | {
      readonly type: 'conversation.item.added' | 'conversation.item.done';
      readonly item: Item;
      readonly previous_item_id: string | null;
    }
  | ({
      readonly type: 'conversation.item.input_audio_transcription.delta';
      readonly item_id: string;
      readonly delta: string;
    } & typeof PART)
  | ({
      readonly type: 'conversation.item.input_audio_transcription.completed';
      readonly item_id: string;
      readonly transcript: string;
      /** Those it was spoken in, as far as that is known. */
      readonly languages: readonly { readonly code: string }[];
      readonly usage: { readonly type: 'duration'; readonly seconds: number };
    } & typeof PART)
  | ({
      readonly type: 'conversation.item.input_audio_transcription.failed';
      readonly item_id: string;
      readonly error: { readonly type: string; readonly code: string; readonly message: string };
    } & typeof PART)
  | {
      readonly type: 'error';
      readonly error: OpenAiError & { readonly event_id: string | null };
    };

/** The events by which an item comes to be. */
export function committed(id: string, previous: string | null): ServerEvent[] {
  const item: Item = {
    id,
    object: 'realtime.item',
    type: 'message',
    status: 'completed',
    role: 'user',
    content: [{ type: 'input_audio', transcript: null }],
  };
  return [
    { type: 'input_audio_buffer.committed', item_id: id, previous_item_id: previous },
    { type: 'conversation.item.added', item, previous_item_id: previous },
    { type: 'conversation.item.done', item, previous_item_id: previous },
  ];
}

/** More of a transcript; nothing where there is no more. */
export const delta = (id: string, text: string): ServerEvent[] =>
  text === ''
    ? []
    : [
        {
          type: 'conversation.item.input_audio_transcription.delta',
          item_id: id,
          ...PART,
          delta: text,
        },
      ];

/** @param said In one utterance or several. @param lengthMs Of the audio it was said in, silences and all. */
export const completed = (id: string, said: readonly Said[], lengthMs: number): ServerEvent => ({
  type: 'conversation.item.input_audio_transcription.completed',
  item_id: id,
  ...PART,
  transcript: joinText(said),
  languages: [...new Set(said.map(({ language }) => language.split('-')[0]!))]
    .filter((code) => code !== 'und')
    .map((code) => ({ code })),
  usage: { type: 'duration', seconds: lengthMs / 1000 },
});

export const failed = (id: string, error: { code: string; message: string }): ServerEvent => ({
  type: 'conversation.item.input_audio_transcription.failed',
  item_id: id,
  ...PART,
  error: { type: 'transcription_error', ...error },
});
