import fc from 'fast-check';
import { expect, it } from 'vitest';
import { pageCursor, pagePlace } from '../../src/store/page-cursor.ts';

it('leads back to the place it was made of', () => {
  const place = fc.record({
    createdAt: fc
      .date({
        noInvalidDate: true,
        min: new Date('1000-01-01T00:00:00Z'),
        max: new Date('9999-12-31T00:00:00Z'),
      })
      .map((date) => date.toISOString()),
    id: fc.string({ unit: 'grapheme' }),
  });
  fc.assert(
    fc.property(place, (there) => {
      expect(pagePlace(pageCursor(there))).toEqual(there);
    }),
  );
});

it('needs no escaping in a query string', () => {
  expect(pageCursor({ createdAt: '2025-01-01T00:00:00.000Z', id: 'ses_ÿ?>~' })).toMatch(/^[\w-]+$/);
});

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

it.each([
  '',
  'x',
  '%%%',
  encoded(null),
  encoded({}),
  encoded([]),
  encoded(['2025-01-01T00:00:00.000Z']),
  encoded(['2025-01-01T00:00:00.000Z', 1]),
  encoded(['yesterday', 'ses_1']),
  encoded(['2025-01-01', 'ses_1']),
  encoded(['-271821-04-20T00:00:00.000Z', 'ses_1']),
])('refuses %j', (cursor) => {
  expect(() => pagePlace(cursor)).toThrowError(expect.objectContaining({ code: 'bad_request' }));
});
