import { DrizzleQueryError } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { Failure, type FailureCode } from '../../src/domain/failure.ts';
import { storageFailure } from '../../src/store/storage-failure.ts';

const coded = (code: string) => Object.assign(new Error(`error ${code}`), { code });

const MEANINGS: Record<string, FailureCode> = {
  CONNECTION_CLOSED: 'storage_unavailable',
  CONNECT_TIMEOUT: 'storage_unavailable',
  ECONNREFUSED: 'storage_unavailable',
  ENOTFOUND: 'storage_unavailable',
  '08006': 'storage_unavailable',
  '25006': 'storage_unavailable',
  '28P01': 'storage_unavailable',
  '3D000': 'storage_unavailable',
  '53300': 'storage_unavailable',
  '57014': 'storage_unavailable',
  '57P01': 'storage_unavailable',
  '57P03': 'storage_unavailable',
  '53100': 'storage_full',
  '23503': 'not_found',
  '23505': 'conflict',
  '22003': 'bad_request',
  '22008': 'bad_request',
  '22021': 'bad_request',
  '22P05': 'bad_request',
};

describe('an error of the database', () => {
  it.each(Object.entries(MEANINGS))('%s is told as %s', (code, meaning) => {
    expect(storageFailure(coded(code))).toMatchObject({ name: 'Failure', code: meaning });
  });

  it('says when to try again where the database is away', () => {
    expect((storageFailure(coded('57P03')) as Failure).retryAfterMs).toBeGreaterThan(0);
  });

  it('stays what it is where only a bug can cause it', () => {
    for (const error of [coded('42601'), new TypeError('x'), 'a string', null])
      expect(storageFailure(error)).toBe(error);
  });

  it('stays a failure where it is one already', () => {
    const failure = new Failure('session_ended', 'It ended.');
    expect(storageFailure(failure)).toBe(failure);
  });

  it.each(['23505', '42601'])('%s loses the query’s values, which may be speech', (code) => {
    const wrapped = new DrizzleQueryError('insert into events …', ['what was said'], coded(code));
    expect(wrapped.message).toContain('what was said');
    for (let at = storageFailure(wrapped); at instanceof Error; at = at.cause)
      expect(`${at.message} ${JSON.stringify(at)}`).not.toContain('what was said');
  });
});
