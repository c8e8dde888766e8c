/** The public face of `earshot/client`, for browsers and Node 20 or newer. */
export type {
  DurableEvent,
  HintEvent,
  SessionEvent,
  Word,
} from '../domain/event.ts';
export type { AudioEncoding, AudioFormat, EndpointingOptions, LlmOptions } from '../domain/options.ts';
export type { Receipt } from '../domain/receipt.ts';
export type { LlmResponse, Session, SessionState, Utterance } from '../domain/session.ts';
export { Earshot, type EarshotOptions, type SharedStream } from './earshot.ts';
export { EarshotError, type ErrorCode } from './error.ts';
export type { FollowOptions } from './follow.ts';
export type { LiveStream, LiveStreamOptions, StreamStatus } from './live-stream.ts';
export { type Microphone, MicrophoneError, type MicrophoneProblem } from './microphone.ts';
export { openMicrophone } from './open-microphone.ts';
export type { RecordingStream, UploadOptions } from './upload.ts';
export type {
  FeedEntry,
  OpenedSession,
  ResetEvent,
  SessionRequest,
  StreamTicket,
  TranscriptFormat,
} from './wire.ts';
