/**
 * A process that holds a data folder: prints `open`, then appends events for ever, printing each seq once it is
 * acknowledged. Ends only by being killed; where the folder is taken, it prints the failure and exits with 1.
 */
import { writeSync } from 'node:fs';

const [openStoreUrl, dataDir, sessionId] = process.argv.slice(2);
const { openStore } = await import(openStoreUrl);
const clock = { now: () => Date.now(), monotonicMs: () => performance.now(), after: () => () => {} };
const say = (line) => writeSync(1, `${line}\n`);

try {
  const store = await openStore({ databaseUrl: null, dataDir, clock });
  const audio = { encoding: 'pcm_s16le', sampleRateHz: 16000, channels: 1 };
  const session = {
    id: sessionId,
    tenantId: 'tenant',
    source: 'live',
    options: {},
    model: 'm',
    durationMs: 0,
  };
  if (!(await store.sessions.find(sessionId, null))) await store.sessions.create(session);
  say('open');
  for (;;) {
    const draft = { type: 'llm.token', responseId: 'rsp', utteranceId: null, index: 0, delta: 'x', audio };
    const [event] = await store.log.append(sessionId, [draft]);
    say(event.seq);
  }
} catch (error) {
  say(`${error.code}: ${error.message}`);
  process.exit(1);
}
