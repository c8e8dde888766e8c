import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openModel } from '../../src/whisper/model.ts';
import { integerKind } from '../../src/whisper/precision.ts';
import { prepareModel } from '../../src/whisper/prepare.ts';
import { cacheFolder } from '../support/recogniser.ts';
import { modelFolder } from './model-folder.ts';
import { samplesOf } from './speech.ts';

/** Instructions that add 8-bit products without overflow. */
const VNNI = /\bavx(512)?_vnni\b/;

describe('the integers to compute with', () => {
  it('are 8-bit where the CPU says it adds their products in full', async () => {
    const says = existsSync('/proc/cpuinfo') && VNNI.test(readFileSync('/proc/cpuinfo', 'utf8'));
    expect(says ? ['int8'] : ['int8', 'int7']).toContain(await integerKind());
  });
});

describe('a model with 7-bit weights', () => {
  it('hears as well, loaded on its own', async () => {
    const { plan, modelName } = await prepareModel(modelFolder, cacheFolder, 'int7');
    const model = await openModel(plan, () => () => 0.5);
    const audio = samplesOf('austen-0920.wav');
    const asked = {
      language: null,
      likelyLanguage: null,
      prompt: null,
      prefix: null,
      draft: [],
      utterance: null,
      words: false,
    };
    const heard = await model.transcribe({ audio, ...asked, urgency: 'final' });
    await model.release();
    expect(modelName).toBe('whisper-base');
    expect(heard).toMatchObject({
      text: 'Had he married a more amiable woman, he might have been made still more respectable than he was.',
      language: 'en',
      suppressed: null,
    });
    expect(heard.languageProbability).toBeGreaterThan(0.9);
    expect(heard.noSpeechProbability).toBeLessThan(0.5);
  });
});
