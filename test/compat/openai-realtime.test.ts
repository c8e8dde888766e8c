/** OpenAI's own SDK for JavaScript, unchanged, against the gateway; and what is told of the protocol, row by row. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import OpenAI from 'openai';
import { OpenAIRealtimeWS } from 'openai/realtime/ws';
import type { RealtimeServerEvent } from 'openai/resources/realtime/realtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listen } from '../../src/http/server.ts';
import { COMPLETED, DELTA, FAILED, RealtimeClient, silence, speech } from '../http/openai-realtime/client.ts';
import { openGateway, type TestGateway } from '../support/api.ts';
import { selfSigned } from '../support/certificate.ts';
import { freshFolder } from '../support/databases.ts';
import { errorRate, TRANSCRIPTS } from '../support/speech.ts';
import {
  ADDRESS,
  CLIENT_EVENTS,
  CLIENT_SECRETS,
  CONFIGURATION,
  NEWER,
  SEMANTIC_VAD,
  SERVER_EVENTS,
  SERVER_VAD,
} from './openai-realtime-table.ts';
import type { Row } from './table.ts';

const KEY = 'a-key-for-an-sdk';
const FILE = 'austen-0880.wav';
const SAID = TRANSCRIPTS[FILE]!.text;
const spoken = speech(FILE);

let folder: Awaited<ReturnType<typeof freshFolder>>;
let made: ReturnType<typeof selfSigned>;
let gateway: TestGateway;
let url: string;
let secure: Awaited<ReturnType<typeof listen>>;
beforeAll(async () => {
  folder = await freshFolder();
  made = selfSigned(folder.path);
  gateway = await openGateway({ env: { API_KEYS: KEY } });
  url = await gateway.listen();
  const { cert, key } = made;
  const settings = { host: '127.0.0.1', port: 0, maxFrameBytes: 1024, certificate: { cert, key } };
  secure = await listen(gateway.gateway.api, { ...settings, newId: (prefix) => `${prefix}_test` });
});
afterAll(async () => {
  await secure.close();
  await gateway.close();
  await folder.remove();
});

/** The SDK's connection, which keeps what it is told. */
class Sdk {
  readonly events: RealtimeServerEvent[] = [];
  readonly errors: string[] = [];
  readonly connection: OpenAIRealtimeWS;
  readonly closed: Promise<void>;
  #wake: (() => void)[] = [];

  constructor(apiKey: string) {
    const client = new OpenAI({ apiKey, baseURL: `${secure.url}/v1` });
    const options = { ca: made.cert };
    this.connection = new OpenAIRealtimeWS({ model: 'gpt-4o-transcribe', options }, client);
    this.connection.on('event', (event) => {
      this.events.push(event);
      for (const wake of this.#wake.splice(0)) wake();
    });
    this.connection.on('error', (error) => this.errors.push(error.message));
    this.closed = new Promise((resolve) => this.connection.socket.on('close', () => resolve()));
  }

  async next<T extends RealtimeServerEvent['type']>(
    type: T,
  ): Promise<Extract<RealtimeServerEvent, { type: T }>> {
    for (;;) {
      const found = this.events.find((event) => event.type === type);
      if (found) return found as Extract<RealtimeServerEvent, { type: T }>;
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  append(audio: Buffer): void {
    for (let at = 0; at < audio.length; at += 9600)
      this.connection.send({
        type: 'input_audio_buffer.append',
        audio: audio.subarray(at, at + 9600).toString('base64'),
      });
  }
}

describe('the SDK of OpenAI', () => {
  it('transcribes as it is spoken', async () => {
    const sdk = new Sdk(KEY);
    await sdk.next('session.created');
    sdk.connection.send({
      type: 'session.update',
      session: {
        type: 'transcription',
        audio: {
          input: {
            format: { type: 'audio/pcm', rate: 24_000 },
            transcription: { model: 'gpt-4o-transcribe', language: 'en' },
            turn_detection: { type: 'server_vad', silence_duration_ms: 400 },
          },
        },
      },
    });
    await sdk.next('session.updated');
    sdk.append(spoken);
    const { transcript, item_id } = await sdk.next(COMPLETED);
    expect(errorRate(transcript, SAID)).toBeLessThanOrEqual(0.15);
    const deltas = sdk.events.flatMap((event) => (event.type === DELTA ? [event] : []));
    expect(deltas.map(({ delta }) => delta).join('')).toBe(transcript);
    expect((await sdk.next('input_audio_buffer.committed')).item_id).toBe(item_id);
    expect(sdk.errors).toEqual([]);
    sdk.connection.close();
    await sdk.closed;
  });

  it('asks for a secret, and connects with it', async () => {
    const { value, session, expires_at } = await new OpenAI({
      apiKey: KEY,
      baseURL: `${url}/v1`,
    }).realtime.clientSecrets.create({
      expires_after: { anchor: 'created_at', seconds: 60 },
      session: { type: 'transcription', audio: { input: { turn_detection: null } } },
    });
    expect(expires_at).toBeGreaterThan(Date.now() / 1000);
    expect(session).toMatchObject({ type: 'transcription', object: 'realtime.transcription_session' });
    const sdk = new Sdk(value);
    expect(await sdk.next('session.created')).toMatchObject({
      session: { type: 'transcription', audio: { input: { turn_detection: null } } },
    });
    sdk.append(spoken);
    sdk.connection.send({ type: 'input_audio_buffer.commit' });
    expect(errorRate((await sdk.next(COMPLETED)).transcript, SAID)).toBeLessThanOrEqual(0.15);
    sdk.connection.close();
    await sdk.closed;
  });

  it('reads our errors', async () => {
    const sdk = new Sdk(KEY);
    await sdk.next('session.created');
    sdk.connection.send({ type: 'response.create', event_id: 'mine' });
    await sdk.next('error');
    expect(sdk.errors).toEqual([expect.stringMatching(/response\.create.*param=type.*event_id=mine/)]);
    sdk.connection.close();
    await sdk.closed;

    const unknown = new Sdk('unknown');
    await unknown.closed;
    expect(unknown.errors).toEqual([expect.stringMatching(/code=unauthorized .*type=authentication_error/)]);
  });
});

describe('the table', () => {
  /** `{ a: { b: value } }` for `a.b`. */
  const nested = (name: string, value: unknown): object =>
    name
      .split('.')
      .reverse()
      .reduce<unknown>((inner, part) => ({ [part]: inner }), value) as object;

  /** Tries a row; `send` resolves with the message of the error that answers, null for none. */
  async function tried(row: Row, send: () => Promise<string | null>): Promise<void> {
    const message = await send();
    if (row.status === 'refused') expect(message).toContain(row.name);
    else expect(message).toBeNull();
  }

  const sent = async (event: object): Promise<string | null> => {
    const client = new RealtimeClient(url, { key: KEY });
    await client.append(silence(200));
    client.send(event);
    await client.settled();
    client.socket.close();
    return client.all('error').length > 1 ? client.all('error')[0]!.error.message : null;
  };

  it.each(ADDRESS)('is right about ?$name', (row) =>
    tried(row, async () => {
      const client = new RealtimeClient(url, { key: KEY, query: `${row.name}=${row.sample}` });
      const [first] = await Promise.race([
        client.next('session.created').then((event) => [event]),
        client.next('error').then((event) => [event]),
      ]);
      client.socket.close();
      return first!.error?.message ?? null;
    }),
  );

  const besides = (type: string) => (row: Row) =>
    [row, { audio: { input: { turn_detection: { type } } } }] as const;
  const PARTS = {
    'audio.input.format.rate': { audio: { input: { format: { type: 'audio/pcm' } } } },
  } as Record<string, object>;
  it.each([
    ...[...CONFIGURATION, ...NEWER].map((row) => [row, PARTS[row.name] ?? {}] as const),
    ...SERVER_VAD.map(besides('server_vad')),
    ...SEMANTIC_VAD.map(besides('semantic_vad')),
  ])('is right about $name', (row, more) =>
    tried(row, () => sent({ type: 'session.update', session: merged(more, nested(row.name, row.sample)) })),
  );

  it.each(CLIENT_EVENTS)('is right about $name', (row) =>
    tried(row, () => sent({ type: row.name, ...(row.sample as object) })),
  );

  it.each(CLIENT_SECRETS)('is right about $name of a secret', (row) =>
    tried(row, async () => {
      const response = await fetch(`${url}/v1/realtime/client_secrets`, {
        method: 'POST',
        headers: { authorization: `Bearer ${KEY}` },
        body: JSON.stringify(nested(row.name, row.sample)),
      });
      return response.ok ? null : ((await response.json()) as { error: { message: string } }).error.message;
    }),
  );

  it('is right about what is sent', async () => {
    const client = new RealtimeClient(url, { key: KEY });
    await client.update({});
    await client.append(spoken);
    await client.next(COMPLETED);
    client.send({ type: 'input_audio_buffer.clear' });
    // What is being said may end before it is cleared.
    while (client.all(FAILED).length === 0) {
      await client.speakUntilTold(speech('austen-0870.wav', 0));
      client.send({ type: 'input_audio_buffer.clear' });
      await client.settled();
    }
    await client.settled();
    client.socket.close();
    const got = [...new Set(client.messages.map(({ type }) => type))].sort();
    expect(got).toEqual(SERVER_EVENTS.flatMap(({ name, isNeverSent }) => (isNeverSent ? [] : [name])).sort());
  });
});

function merged(a: object, b: object): object {
  const isObject = (value: unknown): value is object =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  const both = { ...a } as Record<string, unknown>;
  for (const [name, value] of Object.entries(b))
    both[name] = isObject(value) && isObject(both[name]) ? merged(both[name], value) : value;
  return both;
}

describe('the table beside the declarations of the SDK', () => {
  const resources = join(import.meta.dirname, '..', '..', 'node_modules', 'openai', 'resources', 'realtime');
  const declarations = ['realtime.d.ts', 'client-secrets.d.ts']
    .map((file) => readFileSync(join(resources, file), 'utf8').replace(/\/\*[\s\S]*?\*\//g, ''))
    .join('\n');
  /** What stands between the braces of an interface, of the first by that name inside of `within`. */
  function bodyOf(name: string, within = ''): string {
    const from = within === '' ? 0 : declarations.indexOf(`declare namespace ${within} {`);
    const body = declarations
      .slice(from)
      .match(new RegExp(`^( *)(?:export )?interface ${name} \\{\\n([\\s\\S]*?)^\\1\\}`, 'm'));
    expect(body, name).not.toBeNull();
    return body![2]!;
  }
  const fieldsOf = (name: string, within = ''): string[] =>
    [...bodyOf(name, within).matchAll(/^ +(\w+)\??:/gm)].map((match) => match[1]!);
  const typesOf = (union: string): string[] =>
    declarations
      .match(new RegExp(`export type ${union} = (.*);`))![1]!
      .split(' | ')
      .map((name) => /type: '([^']+)'/.exec(bodyOf(name.split('.').at(-1)!))![1]!);
  const named = (rows: readonly Row[]) => rows.map(({ name }) => name).sort();

  it('has every field of the configuration', () => {
    const inputs = fieldsOf('RealtimeTranscriptionSessionAudioInput').flatMap((field) => {
      if (field === 'format') return ['format.type', 'format.rate'];
      if (field === 'noise_reduction') return fieldsOf('NoiseReduction').map((name) => `${field}.${name}`);
      if (field === 'transcription') return fieldsOf('AudioTranscription').map((name) => `${field}.${name}`);
      expect(field).toBe('turn_detection');
      return [];
    });
    expect(fieldsOf('AudioPCM', 'RealtimeAudioFormats').sort()).toEqual(['rate', 'type']);
    const fields = fieldsOf('RealtimeTranscriptionSessionCreateRequest').flatMap((field) =>
      field === 'audio' ? inputs.map((name) => `audio.input.${name}`) : [field],
    );
    expect(named(CONFIGURATION)).toEqual(fields.sort());
  });

  it.each([
    ['ServerVad', SERVER_VAD],
    ['SemanticVad', SEMANTIC_VAD],
  ])('has every field of %s', (name, rows) => {
    const fields = fieldsOf(name, 'RealtimeTranscriptionSessionAudioInputTurnDetection');
    expect(named(rows)).toEqual(fields.map((field) => `audio.input.turn_detection.${field}`).sort());
  });

  it('has every field of a secret', () => {
    const fields = fieldsOf('ClientSecretCreateParams').flatMap((field) =>
      field === 'expires_after'
        ? fieldsOf('ExpiresAfter', 'ClientSecretCreateParams').map((name) => `${field}.${name}`)
        : [field],
    );
    expect(named(CLIENT_SECRETS)).toEqual(fields.sort());
  });

  it('has every event a client may send', () => {
    const beta = 'transcription_session.update';
    expect(named(CLIENT_EVENTS)).toEqual([...typesOf('RealtimeClientEvent'), beta].sort());
  });

  it('has every event about transcription', () => {
    /** Of responses, of the conversation they are in, and of tools. */
    const others =
      /^(response|output_audio_buffer|mcp_list_tools|rate_limits|conversation\.created|conversation\.item\.(created|deleted|retrieved|truncated))\b/;
    const types = typesOf('RealtimeServerEvent').filter((type) => !others.test(type));
    expect(named(SERVER_EVENTS)).toEqual(types.sort());
  });
});
