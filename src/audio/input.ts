/** What flows through a session's front end: audio, and the places where the client said "end the utterance now". */

/** The client's `utterance.commit`, kept in its place between two stretches of audio. */
export const COMMIT = 'commit';

/** Audio as it came from the wire. */
export type EncodedInput = Uint8Array | typeof COMMIT;

/** Audio at 16 kHz mono, −1…1. */
export type DecodedInput = Float32Array | typeof COMMIT;
