/** `npm run model:pack -- <checkpoint folder> <out>`: packs a Whisper checkpoint; see `whisper/weights/packed.ts`. */
import { ModelError } from '../models/model-error.ts';
import { openCheckpoint } from '../whisper/weights/checkpoint.ts';
import { packCheckpoint } from '../whisper/weights/packed.ts';

const [from, to] = process.argv.slice(2);
if (!from || !to) {
  console.error('Usage: npm run model:pack -- <checkpoint folder> <out>');
  process.exit(2);
}
try {
  const { files } = await packCheckpoint(await openCheckpoint(from), to);
  for (const [name, { bytes, sha256 }] of Object.entries(files)) console.log(`${sha256}  ${bytes}  ${name}`);
} catch (error) {
  if (!(error instanceof ModelError)) throw error;
  console.error(error.message);
  process.exit(1);
}
