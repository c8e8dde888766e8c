import { basename, dirname, resolve } from 'node:path';
import { type AutomaticSpeechRecognitionPipeline, env, pipeline } from '@huggingface/transformers';
import { ownCpuSeconds } from '../machine.ts';
import type { Engine } from './engine.ts';

export type Precision = 'q8' | 'fp32';

/**
 * The stock pipeline of transformers.js: greedy, all cores, the 30 s window of the exported graphs.
 * @param folder A Whisper checkpoint with its ONNX export, laid out as on the Hugging Face Hub.
 */
export async function openTransformers(folder: string, precision: Precision): Promise<Engine> {
  env.allowRemoteModels = false;
  env.localModelPath = dirname(resolve(folder));
  const recogniser: AutomaticSpeechRecognitionPipeline = await pipeline(
    'automatic-speech-recognition',
    basename(resolve(folder)),
    { dtype: precision, device: 'cpu' },
  );
  const transcribe: Engine['transcribe'] = async (audio, language) => {
    const { text } = await recogniser(audio, { language, task: 'transcribe' });
    return text.trim();
  };
  return {
    name: `transformers.js ${precision}`,
    atOnce: 1,
    transcribe,
    follow: (language) => (audio) => transcribe(audio, language),
    cpuSeconds: async () => ownCpuSeconds(),
    close: () => recogniser.dispose(),
  };
}
