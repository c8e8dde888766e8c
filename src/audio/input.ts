/** What flows through a session's front end: audio, and the places where the client said something of its utterance. */

/** The client's `utterance.commit`, kept in its place between two stretches of audio. */
export const COMMIT = 'commit';

/** The client takes back what it says: the open utterance is dropped, and nobody hears what it was. */
export const DISCARD = 'discard';

export type Mark = typeof COMMIT | typeof DISCARD;

/** Audio as it came from the wire. */
export type EncodedInput = Uint8Array | Mark;

/** Audio at 16 kHz mono, −1…1. */
export type DecodedInput = Float32Array | Mark;
