/** docs/reliability.md says what is promised and held, and nothing else. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withPromises } from '../faults/document.ts';
import { DOCUMENT, lastResults } from '../faults/effort.ts';
import { CHAPTERS } from '../faults/promises.ts';

const promises = CHAPTERS.flatMap((chapter) => chapter.promises);

describe('docs/reliability.md', () => {
  it('has the table of what is promised, with what was found last', () => {
    const document = readFileSync(DOCUMENT, 'utf8');
    expect(withPromises(document, lastResults())).toBe(document);
  });

  it('names tests that are there', () => {
    const missing = promises
      .flatMap(({ tests }) => tests)
      .filter((test) => !existsSync(join(import.meta.dirname, '..', test)));
    expect(missing).toEqual([]);
  });

  it('has a promise for each result', () => {
    const ids = promises.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(Object.keys(lastResults()).filter((name) => !ids.includes(name.split(' ')[0]!))).toEqual([]);
  });
});
