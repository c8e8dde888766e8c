import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Earshot } from '../client/earshot.ts';
import { EarshotError } from '../client/error.ts';
import type { SessionRequest } from '../client/wire.ts';
import type { SessionEvent } from '../domain/event.ts';
import { progressOn } from './progress.ts';

/** From here on a bar is worth its line. */
const LONG_BYTES = 2 * 1024 * 1024;

/**
 * Sends a file as a whole and follows its session to the end. Gives the session's id.
 * @throws EarshotError where it cannot be sent or transcribed.
 */
export async function uploadRecording(
  client: Earshot,
  file: string,
  request: SessionRequest,
  onEvent: (event: SessionEvent) => void,
): Promise<string> {
  const { size: sizeBytes } = await stat(file);
  const progress = progressOn(process.stderr, sizeBytes >= LONG_BYTES);
  try {
    const { id } = await client.upload(
      { name: basename(file), sizeBytes, bytes: createReadStream(file) },
      request,
      { onProgress: ({ sentBytes, totalBytes }) => progress.update('sending     ', sentBytes, totalBytes) },
    );
    progress.clear();
    for await (const event of client.events(id)) {
      if (event.type === 'session.progress') {
        progress.update('transcribing', event.processedMs, event.durationMs);
      } else if (event.type !== 'reset') {
        // The bar and the words share the terminal's last line.
        progress.clear();
        onEvent(event);
      }
      if (event.type === 'session.failed') throw new EarshotError(event.error.code, event.error.message);
    }
    return id;
  } finally {
    progress.clear();
  }
}
