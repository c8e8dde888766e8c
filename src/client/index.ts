/** The public face of `earshot/client`, for browsers and Node 20 or newer. */
export type { Delivery, DeliveryState } from '../domain/delivery.ts';
export type {
  DurableEvent,
  FinishReason,
  HintEvent,
  SessionEvent,
  SuppressionReason,
  Usage,
  Word,
} from '../domain/event.ts';
export type { FailureCode, FailureReport } from '../domain/failure.ts';
export type { AudioEncoding, AudioFormat, EndpointingOptions, LlmOptions, Task } from '../domain/options.ts';
export type { EndedBy, Receipt } from '../domain/receipt.ts';
export type { LlmResponse, Session, SessionSource, SessionState, Utterance } from '../domain/session.ts';
export type { AudioPiece, AudioSource } from './audio-source.ts';
export { Earshot, type EarshotOptions, type FeedOptions, type SharedStream } from './earshot.ts';
export { type ClientErrorCode, EarshotError, type EarshotErrorDetails, type ErrorCode } from './error.ts';
export type { FollowOptions } from './follow.ts';
export type { LiveStream } from './live-stream.ts';
export type { LiveStreamOptions, StreamStatus } from './live-stream-options.ts';
export {
  type Microphone,
  MicrophoneError,
  type MicrophoneOptions,
  type MicrophoneProblem,
} from './microphone.ts';
export { openMicrophone } from './open-microphone.ts';
export type { CursorStore } from './saved-cursor.ts';
export type { WebSocketConstructor, WebSocketLike } from './socket.ts';
export { type SpeakOptions, speakInto } from './speak-into.ts';
export type { Timing } from './timing.ts';
export type { RecordingStream, UploadOptions } from './upload.ts';
export type {
  DeliveryAttempt,
  FeedEntry,
  OpenedSession,
  ResetEvent,
  SessionRequest,
  StreamTicket,
  TranscriptFormat,
} from './wire.ts';
