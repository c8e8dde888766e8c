import type { MicrophoneProblem } from '../../src/client/microphone.ts';

/** What to tell a person when something did not work: what happened, and what to do next. */
export interface Advice {
  readonly what: string;
  readonly next: string;
}

/** Errors that have words of their own; others are told by the gateway's message. */
export type ExplainedCode =
  | 'unreachable'
  | 'connection_lost'
  | 'not_resumable'
  | 'unauthorized'
  | 'not_found'
  | 'overloaded'
  | 'rate_limited'
  | 'payload_too_large'
  | 'audio_undecodable'
  | 'audio_empty'
  | 'audio_too_long'
  | 'session_ended'
  | 'replaced'
  | 'idle_timeout'
  | 'session_too_long'
  | 'storage_unavailable'
  | 'storage_full'
  | 'recognition_failed';

/** Every word the page says. A language that lacks one does not compile. */
export interface Words {
  /** BCP 47. */
  readonly tag: string;
  readonly interfaceLanguage: string;
  readonly skipToContent: string;
  readonly apiDocs: string;

  readonly record: string;
  readonly status: Readonly<Record<RecorderWord, string>>;
  readonly hint: string;
  readonly spokenLanguage: string;
  readonly detectLanguage: string;
  readonly answers: string;
  readonly answersOff: string;
  readonly answersPerUtterance: string;
  readonly answersAtEnd: string;
  readonly lostConnection: string;

  readonly uploadTitle: string;
  readonly uploadHint: string;
  readonly chooseFile: string;
  readonly dropHere: string;
  readonly sending: (name: string) => string;
  readonly cancel: string;
  readonly transcribing: string;
  readonly waitingInLine: string;

  readonly transcript: string;
  readonly emptyTitle: string;
  readonly emptyText: string;
  readonly listening: string;
  readonly nothingSaid: string;
  readonly noWordsYet: string;
  readonly mayChange: string;
  readonly withheld: (count: number) => string;
  readonly answer: string;
  readonly answerFailed: string;
  readonly answerPending: string;

  readonly sessions: string;
  readonly noSessions: string;
  readonly olderSessions: string;
  readonly sourceLive: string;
  readonly sourceRecording: string;
  readonly running: string;
  readonly failed: string;
  readonly backToRecording: string;
  readonly newRecording: string;
  readonly close: string;
  readonly download: string;
  readonly copy: string;
  readonly copied: string;
  readonly remove: string;
  readonly removeTitle: string;
  readonly removeText: string;

  readonly keyTitle: string;
  readonly keyText: string;
  readonly keyLabel: string;
  readonly keyWrong: string;
  readonly keySave: string;

  readonly dismiss: string;
  readonly tryAgain: string;
  readonly microphone: Readonly<Record<MicrophoneProblem, Advice>>;
  readonly errors: Readonly<Record<ExplainedCode, Advice>>;
  readonly otherError: (message: string) => Advice;
}

/** What the recorder is doing, as far as a person needs to know. */
export type RecorderWord = 'idle' | 'starting' | 'recording' | 'reconnecting' | 'finishing';
