/** The grain of speech detection: 32 ms at 16 kHz. */
export const FRAME_SAMPLES = 512;

/** Samples before a frame that the network wants to see with it. */
export const CONTEXT_SAMPLES = 64;
