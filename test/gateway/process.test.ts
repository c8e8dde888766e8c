/** How the process starts, refuses to start, and stops. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { freshFolder } from '../support/databases.ts';
import { FakeOpenAi } from '../support/fake-openai.ts';
import { type RunningGateway, startGateway } from '../support/gateway.ts';
import { TestSocket } from '../support/socket.ts';
import { pcmOf } from '../support/speech.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'main.js');

const running: RunningGateway[] = [];
const start = async (env: Record<string, string> = {}) => {
  const gateway = await startGateway({ env: { LLM: 'off', STT_WORKERS: '1', ...env } });
  running.push(gateway);
  return gateway;
};
afterEach(() => Promise.all(running.splice(0).map((gateway) => gateway.stop())));

const runToEnd = (env: Record<string, string>) =>
  spawnSync(process.execPath, [MAIN], {
    env: { PATH: process.env.PATH, LLM: 'off', PORT: '0', ...env },
    encoding: 'utf8',
    timeout: 100_000,
  });

describe('the process', () => {
  it('names every variable it cannot run with, and exits', () => {
    const { status, stderr } = runToEnd({ PORT: 'eighty', HOST: '0.0.0.0' });
    expect(status).toBe(1);
    expect(stderr).toMatch(/PORT: /);
    expect(stderr).not.toMatch(/at .*\.js/);
  });

  it('refuses a data folder that another process has, by name', async () => {
    const { dataDir } = await start();
    const { status, stderr } = runToEnd({ DATA_DIR: dataDir });
    expect(status).toBe(1);
    expect(stderr).toMatch(/process \d+/);
    expect(stderr).toContain(dataDir);
  });

  it('says which port is in use', async () => {
    const { url } = await start();
    const folder = await freshFolder();
    const { status, stderr } = runToEnd({ DATA_DIR: folder.path, PORT: new URL(url).port });
    await folder.remove();
    expect(status).toBe(1);
    expect(stderr).toMatch(/is in use; .*PORT/);
  });

  it('names the model it cannot find', async () => {
    const folder = await freshFolder();
    const { status, stderr } = runToEnd({ DATA_DIR: folder.path, STT_MODEL: './nowhere' });
    await folder.remove();
    expect(status).toBe(1);
    expect(stderr).toMatch(/nowhere/);
  });

  it('stores what is being said when it is stopped, tells the client, and exits well', async () => {
    const gateway = await start();
    const socket = new TestSocket(`${gateway.url}/v1/stream`);
    await socket.sendAudio(pcmOf('austen-0880.wav').subarray(0, 32 * 2000));
    await socket.next('speech.started');
    running.splice(0);
    const code = gateway.stop();
    expect(await socket.next('error')).toMatchObject({ code: 'shutting_down', fatal: true });
    expect(await socket.closed).toEqual({ code: 1012 });
    expect(socket.all('transcript.final').length).toBe(1);
    expect(await code).toBe(0);
  });

  it('gives a session whose audio has ended its receipt when it is stopped during the answer', async () => {
    const upstream = await FakeOpenAi.start();
    upstream.script({ kind: 'stall', pieces: ['Half '] });
    const gateway = await start({ LLM: 'openai', LLM_BASE_URL: upstream.url, LLM_MODEL: 'm' });
    const socket = new TestSocket(`${gateway.url}/v1/stream?llm=true`);
    await socket.sendAudio(pcmOf('austen-0880.wav'));
    socket.send({ type: 'audio.end' });
    await socket.next('llm.token');
    running.splice(0);
    const code = gateway.stop();
    expect(await socket.next('llm.failed')).toMatchObject({ code: 'shutting_down' });
    expect(await socket.next('session.done')).toMatchObject({ receipt: { endedBy: 'client', finals: 1 } });
    expect(await socket.closed).toEqual({ code: 1000 });
    expect(await code).toBe(0);
    await upstream.close();
  });

  it('logs no word of what was said', async () => {
    const gateway = await start({ LOG_LEVEL: 'trace' });
    const socket = new TestSocket(`${gateway.url}/v1/stream?prompt=Canary`);
    await socket.sendAudio(pcmOf('austen-0880.wav'));
    socket.send({ type: 'audio.end' });
    await socket.closed;
    expect(socket.all('transcript.final')[0]!.text).toMatch(/man/);
    expect(gateway.output.join('\n')).not.toMatch(/\bman\b|Canary/);
  });
});
