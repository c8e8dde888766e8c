/** The table of Deepgram's protocol is kept true: each row is tried, and held to what their SDK declares. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DeepgramSocket, type Received, refusal, sentence } from '../http/deepgram/clients.ts';
import { openGateway, type TestGateway } from '../support/api.ts';
import { silence } from '../support/speech.ts';
import { ANSWER, CLIENT, DEEPGRAM, LIVE, RECORDED, SERVER } from './deepgram-table.ts';
import type { Row, Section } from './table.ts';

const SDK = join(import.meta.dirname, '..', '..', 'node_modules', '@deepgram', 'sdk', 'dist', 'cjs', 'api');
const V1 = join(SDK, 'resources', 'listen', 'resources', 'v1');
const MEDIA = join(V1, 'resources', 'media', 'client', 'requests', 'MediaTranscribeRequestOctetStream.d.ts');

const read = (...path: string[]): string =>
  readFileSync(join(...path), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
/** The names of all properties declared in a text. */
const declared = (text: string): string[] => [...text.matchAll(/^\s+(\w+)\??: /gm)].map((match) => match[1]!);
const names = ({ rows }: Section): string[] => rows.map(({ name }) => name);
const ofSection = (section: Section, prefix: string): string[] =>
  names(section).filter((name) => name.startsWith(prefix));
/** All names within a path. */
const parts = (name: string): string[] => name.replaceAll('[]', '').split('.');

/** Taken beyond what the SDK declares: what other clients of theirs send, and what the reference names besides. */
const BEYOND: Readonly<Record<string, readonly string[]>> = {
  live: ['filler_words', 'no_delay', 'language_hint'],
  recorded: ['sample_rate', 'channels'],
  server: ['models', 'model_info', 'tags', 'extra'],
  answer: ['extra', 'punctuated_word'],
};

describe('the table of Deepgram’s protocol', () => {
  it('has every parameter that the SDK declares, once', () => {
    const connect = /interface ConnectArgs \{([\s\S]*?)Authorization: string/.exec(
      read(V1, 'client', 'Client.d.ts'),
    )![1]!;
    expect(names(LIVE).sort()).toEqual([...declared(connect), ...BEYOND.live!].sort());
    expect(names(RECORDED).sort()).toEqual([...declared(read(MEDIA)), ...BEYOND.recorded!].sort());
  });

  it('has every message that the SDK sends', () => {
    const socket = read(V1, 'client', 'Socket.d.ts');
    const sent = [...socket.matchAll(/ send(\w+)\(message: Deepgram/g)].map((match) => match[1]!);
    expect(names(CLIENT)).toEqual(expect.arrayContaining(sent));
    expect(sent.length).toBeGreaterThanOrEqual(3);
  });

  it('has every field of every message that the SDK reads', () => {
    const files = readdirSync(join(V1, 'types')).filter((file) =>
      /^ListenV1(Results|Metadata|UtteranceEnd|SpeechStarted)\.d\.ts$/.test(file),
    );
    expect(files).toHaveLength(4);
    for (const file of files) {
      const message = /ListenV1(\w+)/.exec(file)![1]!;
      const rows = ofSection(SERVER, `${message}.`).flatMap((name) => parts(name).slice(1));
      // What is declared of entities and speakers is below a field that is never sent.
      const below = /namespace Entities \{[\s\S]*|interface DiarizeInfo \{[\s\S]*?\n {8}\}/g;
      const expected = new Set(declared(read(V1, 'types', file).replace(below, '')));
      expect(rows, message).toEqual(expect.arrayContaining([...expected]));
      const extra = rows.filter((name) => !expected.has(name));
      expect(BEYOND.server, message).toEqual(expect.arrayContaining(extra));
    }
  });

  it('has every field of the answer that the SDK reads', () => {
    const has = (file: string, prefix: string, besides = /$^/g) => {
      const fields = declared(read(SDK, 'types', file).replace(besides, ''));
      const rows = new Set(ofSection(ANSWER, prefix).flatMap(parts));
      expect([...rows], file).toEqual(expect.arrayContaining(fields));
    };
    const inner = (...blocks: string[]) =>
      new RegExp(blocks.map((name) => `namespace ${name} \\{[\\s\\S]*`).join('|'), 'g');
    has('ListenV1ResponseMetadata.d.ts', 'metadata.', inner('ListenV1ResponseMetadata'));
    has('ListenV1ResponseResults.d.ts', 'results.');
    has('ListenV1ResponseResultsUtterancesItem.d.ts', 'results.utterances[].');
    const channel = read(SDK, 'types', 'ListenV1ResponseResultsChannelsItem.d.ts');
    const [head, alternative] = [
      /export interface ListenV1ResponseResultsChannelsItem \{([\s\S]*?)\n\}/.exec(channel)![1]!,
      / namespace Alternatives \{([\s\S]*?) interface Paragraphs/.exec(channel)![1]!,
    ];
    const rows = new Set(ofSection(ANSWER, 'results.channels[].').flatMap(parts));
    expect([...rows]).toEqual(expect.arrayContaining([...declared(head), ...declared(alternative)]));
  });

  it('says of everything that differs how', () => {
    for (const { rows } of DEEPGRAM.sections)
      for (const { name, status, how } of rows) if (status !== 'yes') expect(how, name).toBeTruthy();
  });
});

describe('what the table says', () => {
  let gateway: TestGateway;
  let url: string;
  beforeAll(async () => {
    gateway = await openGateway({
      env: { WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 7).toString('base64')}` },
    });
    url = await gateway.listen();
  });
  afterAll(() => gateway.close());

  const tried = (section: Section): [string, Row][] =>
    section.rows
      .filter(({ sample }) => sample !== undefined)
      .map((row) => [`${row.name} (${row.status})`, row]);
  const query = (base: Readonly<Record<string, string>>, { name, sample }: Row): URLSearchParams => {
    const params = new URLSearchParams(base);
    params.delete(name);
    for (const value of [sample].flat()) params.append(name, String(value));
    return params;
  };

  const LINEAR = { encoding: 'linear16', sample_rate: '16000', channels: '1', interim_results: 'true' };
  it.each(tried(LIVE))('live: %s', async (_title, row) => {
    const params = query(LINEAR, row);
    if (row.status === 'refused') {
      expect(await refusal(url, params.toString())).toMatchObject({
        status: 400,
        error: expect.stringContaining(row.name),
      });
      return;
    }
    const socket = new DeepgramSocket(
      `${url}`,
      Object.fromEntries([...new Set(params.keys())].map((name) => [name, params.getAll(name)])),
    );
    await socket.tell('CloseStream');
    expect((await socket.closed).code).toBe(1000);
  });

  it.each(tried(RECORDED))('recorded: %s', async (_title, row) => {
    const params = query({ encoding: 'linear16', sample_rate: '16000' }, row);
    const body = new Uint8Array(row.name === 'encoding' ? Buffer.from('fLaC, or so it says') : silence(200));
    const response = await fetch(`${url}/v1/listen?${params}`, { method: 'POST', body });
    // What is refused of a recording is its audio, where that is none.
    if (row.status !== 'refused') expect(response.status).not.toBe(400);
    else expect(await response.json()).toMatchObject({ err_msg: expect.stringContaining(row.name) });
  });

  it('recorded: callback', async () => {
    const response = await fetch(`${url}/v1/listen?callback=${encodeURIComponent('https://example.com/')}`, {
      method: 'POST',
    });
    expect(await response.json()).toMatchObject({ err_code: 'AUDIO_EMPTY' });
  });

  /** The paths of all values in a message, but for what is named by an id. */
  function paths(value: unknown, at: string): string[] {
    if (Array.isArray(value)) return [at, ...value.flatMap((each) => paths(each, `${at}[]`))];
    if (typeof value !== 'object' || value === null) return [at];
    return [at, ...Object.entries(value).flatMap(([name, each]) => paths(each, `${at}.${name}`))];
  }
  const holds = (section: Section, received: ReadonlySet<string>) => {
    for (const { name, status } of section.rows)
      expect(received.has(name), `${name}: ${status}`).toBe(status !== 'refused');
  };

  it('live: what is sent', async () => {
    const wishes = { language: 'multi', vad_events: true, utterance_end_ms: 1000, tag: 'a', extra: 'b:c' };
    const socket = new DeepgramSocket(url, { ...LINEAR, ...wishes });
    await socket.say(sentence('austen-0880.wav', 300, 2500));
    for (const { name, sample, status } of CLIENT.rows) {
      if (name === 'CloseStream' || sample === undefined) continue;
      socket.socket.send(JSON.stringify(sample));
      if (status === 'refused') expect((await socket.next('Error')).description).toContain(name);
    }
    await socket.next('UtteranceEnd');
    await socket.tell('CloseStream');
    expect((await socket.closed).code).toBe(1000);
    const received = socket.messages.flatMap((message: Received) => paths(message, message.type));
    holds(SERVER, new Set(received));
  });

  it('recorded: what is answered', async () => {
    const params = 'encoding=linear16&sample_rate=16000&utterances=true&detect_language=true&tag=a&extra=b:c';
    const body = new Uint8Array(sentence());
    const response = await fetch(`${url}/v1/listen?${params}`, { method: 'POST', body });
    const received = paths(await response.json(), '').map((path) => path.slice(1));
    holds(ANSWER, new Set(received));
  });
});
