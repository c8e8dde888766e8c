/** A language model behind a session: it adds to the transcript and can never harm it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock as clock } from '../../src/flow/clock.ts';
import { OpenAiLanguageModel } from '../../src/llm/openai.ts';
import { openGateway, type TestGateway } from '../support/api.ts';
import { FakeOpenAi } from '../support/fake-openai.ts';
import { TestSocket } from '../support/socket.ts';
import { pcmOf, silence } from '../support/speech.ts';

const speech = Buffer.concat([pcmOf('austen-0880.wav'), silence(900)]);

describe('a session with a language model', () => {
  let upstream: FakeOpenAi;
  let gateway: TestGateway;
  let url: string;
  beforeAll(async () => {
    upstream = await FakeOpenAi.start();
    const llm = new OpenAiLanguageModel({
      baseUrl: upstream.url,
      apiKey: 'k',
      model: 'm',
      contextTokens: 4096,
      clock,
    });
    gateway = await openGateway({ llm, env: { LLM_STALL_MS: '700', LLM_TIMEOUT_MS: '5000' } });
    url = await gateway.listen();
  });
  afterAll(async () => {
    await gateway.close();
    await upstream.close();
  });

  const speak = async (query: string): Promise<TestSocket> => {
    const socket = new TestSocket(`${url}/v1/stream?language=en&partials=false&${query}`);
    await socket.sendAudio(Buffer.concat([speech, speech]));
    socket.send({ type: 'audio.end' });
    expect(await socket.closed).toEqual({ code: 1000 });
    return socket;
  };

  it('is answered for each utterance, in order, or once at the end', async () => {
    upstream.script({ kind: 'answer', pieces: ['One ', 'answer.'] });
    const each = await speak('llm.trigger=utterance&llm.instructions=Answer.');
    const finals = each.all('transcript.final').map(({ utteranceId }) => utteranceId);
    expect(finals.length).toBe(2);
    expect(each.all('llm.done').map(({ utteranceId, text }) => [utteranceId, text])).toEqual(
      finals.map((id) => [id, 'One answer.']),
    );
    const once = await speak('llm=true');
    expect(once.all('llm.done')).toMatchObject([
      { utteranceId: null, text: 'One answer.', finishReason: 'stop' },
    ]);
    const asked = upstream.requests.at(-1)!.body.messages;
    expect(JSON.stringify(asked)).toContain(once.all('transcript.final')[0]!.text);
  });

  it('is closed as deleted when it is deleted while it is answered', async () => {
    upstream.script({ kind: 'stall', pieces: ['Half '] });
    const socket = new TestSocket(`${url}/v1/stream?language=en&partials=false&llm=true`);
    await socket.sendAudio(speech);
    socket.send({ type: 'audio.end' });
    await socket.next('llm.token');
    const { sessionId } = socket.messages[0]!;
    const deleted = await gateway.request(`/v1/sessions/${sessionId}`, { method: 'DELETE' });
    expect(deleted.status).toBe(204);
    expect(await socket.closed).toEqual({ code: 4410 });
    expect(socket.messages.at(-1)).toMatchObject({ type: 'error', code: 'session_ended', fatal: true });
    expect(socket.all('llm.failed')).toEqual([]);
  });

  it('keeps its transcript when the model stalls, breaks off or is not there', async () => {
    const failures: [Parameters<FakeOpenAi['script']>[0], string][] = [
      [{ kind: 'stall', pieces: ['Half '] }, 'llm_timeout'],
      [{ kind: 'truncate', pieces: ['Half '], how: 'cut' }, 'llm_truncated'],
      [{ kind: 'refuse', status: 401 }, 'llm_unavailable'],
    ];
    for (const [reply, code] of failures) {
      upstream.script(reply);
      const socket = await speak('llm=true');
      expect(socket.all('transcript.final').length).toBe(2);
      expect(socket.all('llm.failed')).toMatchObject([{ code, utteranceId: null }]);
      expect(socket.all('session.done').length).toBe(1);
      const { sessionId } = socket.messages[0]!;
      const session = await (await gateway.request(`/v1/sessions/${sessionId}`)).json();
      expect(session).toMatchObject({
        state: 'DONE',
        llm: { state: 'failed', responses: [{ finishReason: 'failed' }] },
      });
    }
  });
});
