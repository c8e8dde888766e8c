/** A transcription whose client waits at one node while another does the work. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshPostgres, hasPostgres } from '../../support/databases.ts';
import { type RunningGateway, startGateway } from '../../support/gateway.ts';
import { errorRate, TRANSCRIPTS } from '../../support/speech.ts';
import { formOf, framesOf } from './support.ts';

const SAID = TRANSCRIPTS['austen-0880.wav']!.text;

describe.skipIf(!hasPostgres)('a transcription that another node makes', () => {
  let database: { url: string; drop(): Promise<void> };
  let gateway: RunningGateway;
  let worker: RunningGateway;
  beforeAll(async () => {
    database = await freshPostgres();
    const env = { STT_WORKERS: '1', LLM: 'off', DATABASE_URL: database.url };
    gateway = await startGateway({ env: { ...env, ROLES: 'gateway' } });
    worker = await startGateway({ env: { ...env, ROLES: 'worker' } });
  });
  afterAll(async () => {
    await Promise.all([gateway.stop(), worker.stop()]);
    await database.drop();
  });

  const ask = async (fields: Record<string, string>): Promise<string> => {
    const body = formOf({ model: 'whisper-1', ...fields });
    const response = await fetch(`${gateway.url}/v1/audio/transcriptions`, { method: 'POST', body });
    expect(response.status).toBe(200);
    return await response.text();
  };

  it('is answered when it has ended', async () => {
    expect(errorRate(await ask({ response_format: 'text' }), SAID)).toBeLessThanOrEqual(0.12);
  });

  it('is streamed', async () => {
    const frames = framesOf(await ask({ stream: 'true' }));
    expect(frames.at(-1)).toBe('[DONE]');
    const done = JSON.parse(frames.at(-2)!) as { type: string; text: string };
    expect(done.type).toBe('transcript.text.done');
    expect(errorRate(done.text, SAID)).toBeLessThanOrEqual(0.12);
  });
});
