/** Forms as OpenAI's clients send them. */
import { readFileSync } from 'node:fs';
import type { TestGateway } from '../../support/api.ts';
import { fixture } from '../../support/speech.ts';

/** A field of a form: a value, or each of a list under one name. */
export type Fields = Readonly<Record<string, string | readonly string[]>>;

export const speech = (name = 'austen-0880.wav'): File =>
  new File([readFileSync(fixture(name))], name, { type: 'audio/wav' });

/** @param file Null for none. */
export function formOf(fields: Fields, file: File | null = speech()): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields))
    for (const one of typeof value === 'string' ? [value] : value) form.append(name, one);
  if (file) form.append('file', file);
  return form;
}

export interface ErrorBody {
  readonly error: { message: string; type: string; param: string | null; code: string };
}

/** Posts to an audio endpoint. */
export const post = (
  gateway: TestGateway,
  endpoint: 'transcriptions' | 'translations',
  body: FormData | string,
  headers: Record<string, string> = {},
): Promise<Response> => gateway.request(`/v1/audio/${endpoint}`, { method: 'POST', body, headers });

/** The data of each frame of a stream of server-sent events, comments left out. */
export const framesOf = (text: string): string[] =>
  text
    .split('\n\n')
    .filter((frame) => frame !== '' && !frame.startsWith(':'))
    .map((frame) => frame.replace(/^data: /, ''));
