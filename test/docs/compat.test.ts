import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEEPGRAM } from '../compat/deepgram-table.ts';
import { withProtocols } from '../compat/document.ts';
import { models, transcriptions, translations } from '../compat/openai.ts';
import { REALTIME } from '../compat/openai-realtime-table.ts';

const DOCUMENT = join(import.meta.dirname, '..', '..', 'docs', 'compat.md');
const PROTOCOLS = [transcriptions, translations, models, REALTIME, DEEPGRAM];

describe('docs/compat.md', () => {
  it('has the tables by which the protocols are tried; UPDATE_DOCS=1 writes them', () => {
    const document = readFileSync(DOCUMENT, 'utf8');
    const wanted = withProtocols(document, PROTOCOLS);
    if (process.env.UPDATE_DOCS) writeFileSync(DOCUMENT, wanted);
    else expect(document).toBe(wanted);
  });

  it('says why where something differs or is refused', () => {
    for (const { sections } of PROTOCOLS)
      for (const { rows } of sections)
        for (const { name, status, how } of rows) if (status !== 'yes') expect(how, name).toMatch(/\w{3}/);
  });
});
