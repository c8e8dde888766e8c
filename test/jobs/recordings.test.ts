/** What becomes of recordings, and of their uploads, when the work on them is broken off. */
import { existsSync } from 'node:fs';
import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { DEFAULT_OPTIONS } from '../../src/domain/options.ts';
import { systemClock } from '../../src/flow/clock.ts';
import { eraseOrphans } from '../../src/jobs/orphans.ts';
import { deaf, openGateway } from '../support/api.ts';
import { freshFolder } from '../support/databases.ts';
import { pcmOf, silence } from '../support/speech.ts';

/** Hears nothing for as long as it is not told to stop. */
const deliberate = {
  ...deaf,
  recognise: (_request: unknown, signal?: AbortSignal) =>
    new Promise<never>((_, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
    }),
};

const upload = async (gateway: Awaited<ReturnType<typeof openGateway>>): Promise<string> => {
  const form = new FormData();
  form.set('options', JSON.stringify({ audio: { encoding: 'pcm_s16le' } }));
  form.set('file', new Blob([Buffer.concat([pcmOf('austen-0880.wav'), silence(900)])]), 'a.raw');
  const response = await gateway.request('/v1/sessions', { method: 'POST', body: form });
  const { id } = (await response.json()) as { id: string };
  await vi.waitFor(async () => {
    const session = (await (await gateway.request(`/v1/sessions/${id}`)).json()) as { state: string };
    expect(session.state).toBe('IN_PROGRESS');
  }, 10_000);
  return id;
};

describe('a recording', () => {
  it('is let go of when its node stops, for the next to take up at once', async () => {
    const gateway = await openGateway({ recogniser: deliberate });
    const id = await upload(gateway);
    const { store } = gateway;
    expect(await store.sessions.claim(id, 'another node', systemClock.now() + 1000)).toBeNull();
    await gateway.gateway.close();
    await vi.waitFor(async () =>
      expect(await store.sessions.claim(id, 'another node', systemClock.now() + 1000)).not.toBeNull(),
    );
    expect(existsSync(join(gateway.config.DATA_DIR, 'uploads', id))).toBe(true);
    expect((await store.log.read(id, 0, 10)).map(({ type }) => type)).toEqual(['session.started']);
    await gateway.close();
  });

  it('is erased with its upload while it is worked on', async () => {
    const gateway = await openGateway({ recogniser: deliberate });
    const id = await upload(gateway);
    expect((await gateway.request(`/v1/sessions/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect(await gateway.store.sessions.find(id, null)).toBeNull();
    expect(existsSync(join(gateway.config.DATA_DIR, 'uploads', id))).toBe(false);
    await gateway.close();
  });
});

describe('an upload', () => {
  it('is erased once it belongs to no session that needs it, unless it may still be coming in', async () => {
    const gateway = await openGateway({ recogniser: deaf });
    const folder = await freshFolder();
    const { sessions } = gateway.store;
    const session = { tenantId: 't', source: 'recording', options: DEFAULT_OPTIONS, model: 'm' } as const;
    await sessions.create({ ...session, id: 'ses_waiting', durationMs: null });
    const now = Date.now();
    const files = { ses_waiting: 3_600_000, ses_gone: 3_600_000, ses_coming: 1000 };
    for (const [name, ageMs] of Object.entries(files)) {
      const path = join(folder.path, name);
      await writeFile(path, 'sound');
      await utimes(path, new Date(now - ageMs), new Date(now - ageMs));
    }
    await eraseOrphans(folder.path, sessions, now);
    const left = Object.keys(files).filter((name) => existsSync(join(folder.path, name)));
    expect(left).toEqual(['ses_waiting', 'ses_coming']);
    await folder.remove();
    await gateway.close();
  });
});
