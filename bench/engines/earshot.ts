import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/flow/clock.ts';
import { openRecogniser } from '../../src/whisper/recogniser.ts';
import { ownCpuSeconds } from '../machine.ts';
import type { Engine } from './engine.ts';

const modelFolder = join(import.meta.dirname, '..', '..', 'models', 'whisper-base');

/** This project's recogniser on the bundled model, without a gateway around it: one thread a core. */
export async function openEarshot(cacheFolder: string): Promise<Engine> {
  const workers = availableParallelism();
  const recogniser = await openRecogniser({ modelFolder, cacheFolder, workers, clock: systemClock });
  return {
    name: 'Earshot',
    atOnce: workers,
    async transcribe(audio, language) {
      const asked = {
        language,
        likelyLanguage: null,
        prompt: null,
        prefix: null,
        draft: [],
        utterance: null,
        words: false,
      } as const;
      const request = { audio, ...asked, urgency: 'final' } as const;
      return (await recogniser.recognise(request)).text;
    },
    follow(language) {
      const utterance = randomUUID();
      let draft: readonly number[] = [];
      return async (audio) => {
        const asked = {
          language,
          likelyLanguage: null,
          prompt: null,
          prefix: null,
          draft,
          utterance,
          words: false,
        } as const;
        const { text, tokens } = await recogniser.recognise({ audio, ...asked, urgency: 'partial' });
        draft = tokens;
        return text;
      };
    },
    cpuSeconds: async () => ownCpuSeconds(),
    close: () => recogniser.close(),
  };
}
