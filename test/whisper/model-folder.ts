import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { WhisperTokenizer } from '../../src/whisper/tokens.ts';

/** The packed model that comes with the project. */
export const modelFolder = join(import.meta.dirname, '..', '..', 'models', 'whisper-base');

/** Its tokenizer: that of every multilingual Whisper before large-v3. */
export const tokenizer = (): WhisperTokenizer =>
  new WhisperTokenizer(JSON.parse(readFileSync(join(modelFolder, 'tokenizer.json'), 'utf8')), 50_257);
