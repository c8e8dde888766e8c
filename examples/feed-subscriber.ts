/**
 * Follows everything a gateway hears, across restarts of both: each event once, in order.
 *
 *     EARSHOT_URL=http://127.0.0.1:8080 EARSHOT_KEY=… npx tsx examples/feed-subscriber.ts events.jsonl
 *
 * The cursor is stored beside the event it stands for, in one write, so that neither gets ahead of the other.
 */
import { existsSync, readFileSync, truncateSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { Earshot } from 'earshot/client';

const { EARSHOT_URL: url = 'http://127.0.0.1:8080', EARSHOT_KEY: apiKey } = process.env;
const path = process.argv[2] ?? 'events.jsonl';

/** The cursor of the last event that was stored whole; what a killed process left half written goes. */
function lastCursor(): string | null {
  if (!existsSync(path)) return null;
  const text = readFileSync(path, 'utf8');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  if (whole.length < text.length) truncateSync(path, Buffer.byteLength(whole));
  const lines = whole.split('\n').filter(Boolean);
  return lines.length > 0 ? (JSON.parse(lines.at(-1)!) as { cursor: string }).cursor : null;
}

const cursor = lastCursor();
const file = await open(path, 'a');
const earshot = new Earshot({ url, ...(apiKey && { apiKey }) });
console.log(cursor === null ? 'from the beginning' : `after ${cursor}`);

/** Stores what comes, until the gateway says that it no longer has what came next. */
async function subscribe(after: string | number): Promise<void> {
  for await (const entry of earshot.feed({ after })) {
    const { event } = entry;
    if (event.type === 'reset') return;
    await file.appendFile(`${JSON.stringify(entry)}\n`);
    await file.datasync();
    if (event.type === 'transcript.final') console.log(`${event.sessionId}: ${event.text}`);
  }
}

await subscribe(cursor ?? 0);
for (;;) {
  // There is a hole, and somebody should know.
  console.error('events were missed: the gateway no longer keeps them; going on from the oldest it has');
  await subscribe(0);
}
