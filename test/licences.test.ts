/** Only permissive licences in production: read from the packages themselves, as the lock file lists them. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const PERMISSIVE = new Set([
  'MIT',
  'ISC',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'BlueOak-1.0.0',
  'Unlicense',
  'CC0-1.0',
  'MIT-0',
  'Python-2.0',
  'WTFPL',
]);

/** Whether an SPDX expression leaves a permissive choice. */
const isPermissive = (expression: string): boolean =>
  expression
    .replace(/[()]/g, '')
    .split(/ OR /i)
    .some((choice) => choice.split(/ AND /i).every((licence) => PERMISSIVE.has(licence.trim())));

interface Locked {
  readonly dev?: boolean;
  readonly license?: string;
}

describe('the licences', () => {
  it('of everything in production are permissive', () => {
    const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, Locked>;
    };
    const inProduction = Object.entries(lock.packages).filter(([path, { dev }]) => path !== '' && !dev);
    expect(inProduction.length).toBeGreaterThan(50);
    const others = inProduction.flatMap(([path, { license }]) => {
      const file = join(root, path, 'package.json');
      const declared =
        license ?? (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).license : undefined);
      const named = typeof declared === 'string' ? declared : (declared?.type ?? 'none');
      return isPermissive(named) ? [] : [`${path}: ${named}`];
    });
    expect(others).toEqual([]);
  });
});
