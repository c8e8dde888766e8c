/** Prefixed ids: the prefix says what a thing is, wherever it turns up. */
export type IdPrefix = 'ses' | 'utt' | 'rsp' | 'req';

/** Makes ids that sort by the time they were made. Chance and time are the caller's, so tests can fix both. */
export type NewId = (prefix: IdPrefix) => string;
