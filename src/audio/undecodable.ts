import { Failure } from '../domain/failure.ts';

/** @param what What is wrong with the audio, as a sentence for the client. */
export function undecodable(what: string, cause?: unknown): Failure {
  return new Failure('audio_undecodable', what, cause === undefined ? {} : { cause });
}
