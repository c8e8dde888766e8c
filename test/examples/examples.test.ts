/** The two examples, run as they are, killed, and run again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { freshFolder } from '../support/databases.ts';
import { type RunningGateway, startGateway } from '../support/gateway.ts';

const root = join(import.meta.dirname, '..', '..');
const SECRET = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;

/** An example as a process, and what it prints. */
class Example {
  readonly lines: string[] = [];
  readonly #child: ChildProcess;

  constructor(name: string, file: string, env: Record<string, string>) {
    const args = ['--import', 'tsx', join(root, 'examples', name), file];
    this.#child = spawn(process.execPath, args, {
      cwd: root,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout!, this.#child.stderr!])
      createInterface({ input: stream }).on('line', (line) => this.lines.push(line));
  }

  async printed(pattern: RegExp): Promise<string> {
    return await vi.waitFor(
      () => {
        const found = this.lines.map((line) => pattern.exec(line)).find(Boolean);
        expect(found, this.lines.join('\n')).toBeTruthy();
        return found![1] ?? found![0];
      },
      { timeout: 20_000, interval: 50 },
    );
  }

  async kill(): Promise<void> {
    const closed = once(this.#child, 'close');
    this.#child.kill('SIGKILL');
    await closed;
  }
}

const linesOf = (file: string): Record<string, never>[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));

describe('the examples', () => {
  let gateway: RunningGateway;
  let folder: Awaited<ReturnType<typeof freshFolder>>;
  beforeAll(async () => {
    folder = await freshFolder();
    gateway = await startGateway({
      env: { STT_WORKERS: '1', LLM: 'off', WEBHOOK_SECRET: SECRET, WEBHOOK_ALLOW_CIDRS: '127.0.0.0/8' },
    });
  });
  afterAll(async () => {
    await gateway.stop();
    await folder.remove();
  });

  const submit = async (webhook: object | null): Promise<string> => {
    const form = new FormData();
    form.set('options', JSON.stringify({ audio: { encoding: 'pcm_s16le' }, webhook }));
    form.set('file', new Blob([new Uint8Array(32_000)]), 'silence.raw');
    const response = await fetch(`${gateway.url}/v1/sessions`, { method: 'POST', body: form });
    return ((await response.json()) as { id: string }).id;
  };
  const stateOf = async (id: string) =>
    ((await (await fetch(`${gateway.url}/v1/sessions/${id}`)).json()) as { state: string }).state;
  const isSent = (id: string) =>
    vi.waitFor(async () => expect(await stateOf(id)).toBe('SENT'), { timeout: 20_000, interval: 100 });

  it('receive webhooks, each once, before and after a crash', { timeout: 60_000 }, async () => {
    const file = join(folder.path, 'sessions.jsonl');
    const receive = () => new Example('callback-receiver.ts', file, { WEBHOOK_SECRET: SECRET, PORT: '0' });
    const first = receive();
    const url = await first.printed(/listening at (\S+)/);
    const forged = { 'webhook-id': 'msg_1', 'webhook-timestamp': '1', 'webhook-signature': 'v1,AAAA' };
    expect((await fetch(url, { method: 'POST', body: '{}', headers: forged })).status).toBe(401);
    const id = await submit({ url });
    await isSent(id);
    await fetch(`${gateway.url}/v1/sessions/${id}/redeliver`, { method: 'POST' });
    await isSent(id);
    await first.kill();

    const second = receive();
    const other = await submit({ url: await second.printed(/listening at (\S+)/) });
    await isSent(other);
    await second.kill();
    const sessions = linesOf(file) as unknown as { type: string; data: { id: string } }[];
    expect(sessions.map(({ type, data }) => [type, data.id])).toEqual([
      ['session.done', id],
      ['session.done', other],
    ]);
  });

  it('follow the feed, each event once, before and after a crash', { timeout: 60_000 }, async () => {
    const file = join(folder.path, 'events.jsonl');
    const subscribe = () => new Example('feed-subscriber.ts', file, { EARSHOT_URL: gateway.url });
    const seqsOf = (id: string) =>
      (linesOf(file) as unknown as { event: { sessionId: string; seq: number } }[])
        .filter(({ event }) => event.sessionId === id)
        .map(({ event }) => event.seq);
    const arrived = (id: string) =>
      vi.waitFor(() => expect(seqsOf(id)).toEqual([1, 2]), { timeout: 20_000, interval: 100 });

    const before = await submit(null);
    const first = subscribe();
    await first.printed(/from the beginning/);
    await arrived(before);
    await first.kill();
    const meanwhile = await submit(null);
    const second = subscribe();
    await second.printed(/after (\S+)/);
    await arrived(meanwhile);
    const after = await submit(null);
    await arrived(after);
    await second.kill();
    for (const id of [before, meanwhile]) expect(seqsOf(id)).toEqual([1, 2]);
  });
});
