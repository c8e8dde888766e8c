/** The real recogniser, opened once for each test file that needs it. */

import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock as clock } from '../../src/flow/clock.ts';
import { openRecogniser } from '../../src/whisper/recogniser.ts';
import type { Recogniser } from '../../src/whisper/recognition.ts';

const modelFolder = join(import.meta.dirname, '..', '..', 'models', 'whisper-base');

/** Compiled graphs are found by their content, so test runs may share them. */
export const cacheFolder = join(tmpdir(), 'earshot-test-cache');

let opening: Promise<Recogniser> | null = null;

/** One thread; it goes with the test process. */
export function sharedRecogniser(): Promise<Recogniser> {
  opening ??= openRecogniser({ modelFolder, cacheFolder, workers: 1, clock });
  return opening;
}
