/** ARCHITECTURE.md is kept true: folders import only from those below them in its table. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const source = join(root, 'src');

const order = [
  ...readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8')
    .split('<!-- import order -->')[1]!
    .split('<!-- /import order -->')[0]!
    .matchAll(/^\| `([^`]+?)\/?` \|/gm),
].map((match) => match[1]!);

const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.ts'),
);
const roomOf = (file: string): string => file.split('/')[0]!;

function importsOf(file: string): string[] {
  const text = readFileSync(join(source, file), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map((match) =>
    normalize(join(file, '..', match[1]!)),
  );
}

describe('the house', () => {
  it('has a row in ARCHITECTURE.md for every folder and file at the top of src', () => {
    expect([...new Set(files.map(roomOf))].sort()).toEqual([...order].sort());
  });

  it('imports downwards only', () => {
    const upward = files.flatMap((file) =>
      importsOf(file)
        .filter((target) => order.indexOf(roomOf(target)) < order.indexOf(roomOf(file)))
        .map((target) => `${file} imports ${target}`),
    );
    expect(upward).toEqual([]);
  });

  it('has no import cycle', () => {
    const seen = new Set<string>();
    const cycles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' → '));
      if (seen.has(file)) return;
      seen.add(file);
      for (const target of importsOf(file)) if (files.includes(target)) visit(target, [...path, file]);
    };
    for (const file of files) visit(file, []);
    expect(cycles).toEqual([]);
  });

  it('lets an upstream recogniser stand without the engine it replaces', () => {
    const reached = new Set<string>();
    const reach = (file: string): void => {
      if (reached.has(file)) return;
      reached.add(file);
      importsOf(file).forEach(reach);
    };
    reach('upstream/recogniser.ts');
    const shared = [...reached].filter((file) => roomOf(file) === 'whisper');
    expect(shared.sort()).toEqual(['whisper/guards.ts', 'whisper/pool.ts', 'whisper/recognition.ts']);
  });

  it('keeps files small', () => {
    const long = files.filter((file) => readFileSync(join(source, file), 'utf8').split('\n').length > 300);
    expect(long).toEqual([]);
  });

  it('leaves the process to main.ts and the command line', () => {
    const guilty = files.filter(
      (file) =>
        !['main.ts', 'cli'].includes(roomOf(file)) &&
        /\bprocess\.(env|exit|on)\b/.test(readFileSync(join(source, file), 'utf8')),
    );
    expect(guilty).toEqual([]);
  });
});
