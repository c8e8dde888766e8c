/** The tables of OpenAI's endpoints for recordings: each row is tried, and nothing the vendor declares lacks one. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ErrorBody, type Fields, formOf, framesOf, post, speech } from '../http/openai/support.ts';
import { openGateway, type TestGateway } from '../support/api.ts';
import { membersOf } from './declarations.ts';
import { models, transcriptions, translations } from './openai.ts';
import type { Protocol, Row } from './table.ts';

const TRANSCRIPTIONS = 'openai/resources/audio/transcriptions.d.ts';
const TRANSLATIONS = 'openai/resources/audio/translations.d.ts';

const rowsOf = ({ sections }: Protocol, title: string): readonly Row[] =>
  sections.find((section) => section.title.startsWith(title))!.rows;

/** A field without its brackets and the value it is tried with. */
const fieldOf = ({ name }: Row): string => /^\w+/.exec(name)![0];

/** What a row's sample looks like in a form. */
function fieldsOf(row: Row): Fields {
  const field = fieldOf(row);
  const { sample } = row;
  if (Array.isArray(sample)) return { [`${field}[]`]: sample as string[] };
  if (typeof sample === 'object')
    return Object.fromEntries(
      Object.entries(sample as object).map(([key, value]) => [`${field}[${key}]`, value]),
    );
  return { [field]: String(sample) };
}

/** The names of all that is in an answer, such as `segments[].id`. */
function namesIn(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => namesIn(item, `${path}[]`));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const name = path === '' ? key : `${path}.${key}`;
    return [name, ...namesIn(inner, name)];
  });
}

const sent = (rows: readonly Row[]): string[] =>
  rows.filter(({ status }) => status !== 'refused').map(({ name }) => name);
const sorted = (names: Iterable<string>): string[] => [...new Set(names)].sort();

describe('the table of OpenAI’s', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await openGateway();
  });
  afterAll(() => gateway.close());

  const ask = async (endpoint: 'transcriptions' | 'translations', fields: Fields): Promise<string> => {
    const file = speech(endpoint === 'translations' ? 'fr-only-participant.wav' : 'austen-0880.wav');
    const response = await post(gateway, endpoint, formOf({ model: 'whisper-1', ...fields }, file));
    const text = await response.text();
    expect(response.status, text).toBe(200);
    return text;
  };

  const TABLES = [
    ['transcriptions', transcriptions],
    ['translations', translations],
  ] as const;
  describe.each(TABLES)('%s', (endpoint, protocol) => {
    const tried = rowsOf(protocol, 'Fields').filter((row) => row.sample !== undefined);
    it.each(tried.map((row) => [row.name, row.status, row] as const))(
      '%s: %s',
      async (_name, status, row) => {
        const needs: Fields = fieldOf(row).startsWith('timestamp') ? { response_format: 'verbose_json' } : {};
        const fields = { model: 'whisper-1', ...needs, ...fieldsOf(row) };
        const response = await post(gateway, endpoint, formOf(fields));
        if (status !== 'refused') return expect(response.status, await response.clone().text()).toBe(200);
        expect(response.status).toBe(400);
        const { error } = (await response.json()) as ErrorBody;
        expect(error.message).toContain(fieldOf(row));
        expect(error.param).toMatch(new RegExp(`^${fieldOf(row)}`));
      },
    );

    it('tells all that the answers hold, and nothing else', async () => {
      const json = JSON.parse(await ask(endpoint, {})) as object;
      expect(sorted(namesIn(json))).toEqual(sorted(sent(rowsOf(protocol, 'The answer as json'))));
      const granularities: Fields =
        endpoint === 'transcriptions' ? { 'timestamp_granularities[]': ['word', 'segment'] } : {};
      const fields = { response_format: 'verbose_json', ...granularities };
      const verbose = JSON.parse(await ask(endpoint, fields)) as object;
      expect(sorted(namesIn(verbose))).toEqual(sorted(sent(rowsOf(protocol, 'The answer as verbose_json'))));
    });
  });

  it('tells all that is streamed, and nothing else', async () => {
    const frames = framesOf(await ask('transcriptions', { stream: 'true' }));
    const events = frames
      .filter((frame) => frame !== '[DONE]')
      .map((frame) => JSON.parse(frame) as Record<string, unknown>);
    const names = events.flatMap(({ type, ...members }) => [
      String(type),
      ...Object.keys(members).map((member) => `${type}: ${member}`),
    ]);
    expect(sorted(names)).toEqual(sorted(sent(rowsOf(transcriptions, 'Streamed'))));
  });

  it('tells all that a model has', async () => {
    const { data } = (await (await gateway.request('/v1/models')).json()) as { data: object[] };
    expect(sorted(data.flatMap((model) => Object.keys(model)))).toEqual(
      sorted(sent(models.sections[0]!.rows)),
    );
  });

  const DECLARED: [string, string, readonly Row[], string][] = [
    [TRANSCRIPTIONS, 'TranscriptionCreateParamsBase', rowsOf(transcriptions, 'Fields'), ''],
    [TRANSCRIPTIONS, 'TranscriptionCreateParamsStreaming', rowsOf(transcriptions, 'Fields'), ''],
    [TRANSLATIONS, 'TranslationCreateParams', rowsOf(translations, 'Fields'), ''],
    [TRANSCRIPTIONS, 'Transcription', rowsOf(transcriptions, 'The answer as json'), ''],
    [TRANSCRIPTIONS, 'TranscriptionVerbose', rowsOf(transcriptions, 'The answer as verbose_json'), ''],
    [TRANSCRIPTIONS, 'TranscriptionWord', rowsOf(transcriptions, 'The answer as verbose_json'), 'words[].'],
    [
      TRANSCRIPTIONS,
      'TranscriptionSegment',
      rowsOf(transcriptions, 'The answer as verbose_json'),
      'segments[].',
    ],
    [TRANSLATIONS, 'Translation', rowsOf(translations, 'The answer as json'), ''],
    [TRANSLATIONS, 'TranslationVerbose', rowsOf(translations, 'The answer as verbose_json'), ''],
    [
      TRANSCRIPTIONS,
      'TranscriptionTextDeltaEvent',
      rowsOf(transcriptions, 'Streamed'),
      'transcript.text.delta: ',
    ],
    [
      TRANSCRIPTIONS,
      'TranscriptionTextDoneEvent',
      rowsOf(transcriptions, 'Streamed'),
      'transcript.text.done: ',
    ],
    ['openai/resources/models.d.ts', 'Model', models.sections[0]!.rows, ''],
  ];
  it.each(DECLARED)('has a row for all that %s declares of %s', (file, name, rows, prefix) => {
    const declared = membersOf(file, name).filter(
      (member) => !(prefix.startsWith('transcript.') && member === 'type'),
    );
    expect(declared).not.toEqual([]);
    const names = new Set(rows.map((row) => (prefix === '' ? fieldOf(row) : row.name)));
    expect(declared.filter((member) => !names.has(prefix + member))).toEqual([]);
  });

  it('has a row for each member of a chunking strategy, and each kind of event', () => {
    const fields = rowsOf(transcriptions, 'Fields').map(({ name }) => name);
    for (const member of membersOf(TRANSCRIPTIONS, 'VadConfig'))
      expect(fields.some((name) => name.startsWith(`chunking_strategy[${member}]`))).toBe(true);
    const events = rowsOf(transcriptions, 'Streamed').map(({ name }) => name);
    expect(events).toEqual(
      expect.arrayContaining(['transcript.text.delta', 'transcript.text.done', 'transcript.text.segment']),
    );
  });
});
