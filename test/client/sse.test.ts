import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type SseMessage, SseParser } from '../../src/client/sse.ts';

const parse = (pieces: readonly string[]): SseMessage[] => {
  const parser = new SseParser();
  return pieces.flatMap((piece) => parser.push(piece));
};

/** Cuts a text at the given places. */
const cut = (text: string, places: readonly number[]): string[] => {
  const at = [...new Set(places.map((place) => place % (text.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((from, index) => text.slice(from, at[index] ?? text.length));
};

describe('the event stream parser', () => {
  it('follows the examples of the standard', () => {
    expect(parse(['data: YHOO\ndata: +2\ndata: 10\n\n'])).toEqual([
      { id: '', event: 'message', data: 'YHOO\n+2\n10' },
    ]);
    expect(
      parse([': test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n']),
    ).toEqual([
      { id: '1', event: 'message', data: 'first event' },
      { id: '', event: 'message', data: 'second event' },
      { id: '', event: 'message', data: ' third event' },
    ]);
    expect(parse(['data\n\ndata\ndata\n\ndata:'])).toEqual([
      { id: '', event: 'message', data: '' },
      { id: '', event: 'message', data: '\n' },
    ]);
  });

  it('keeps the last id until another comes', () => {
    expect(parse(['id: 7\ndata: a\n\ndata: b\n\nid: 8\n\ndata: c\n\n']).map(({ id }) => id)).toEqual([
      '7',
      '7',
      '8',
    ]);
  });

  it('takes an id with a null character for none', () => {
    expect(parse(['id: 1\ndata: a\n\nid: 2\0\ndata: b\n\n']).map(({ id }) => id)).toEqual(['1', '1']);
  });

  it('skips a byte order mark at the start only', () => {
    expect(parse(['\uFEFFdata: a\n\n\uFEFFdata: b\n\n'])).toEqual([{ id: '', event: 'message', data: 'a' }]);
  });

  it('reads the reconnection time, and only digits as one', () => {
    const parser = new SseParser();
    parser.push('retry: 1500\n\nretry: soon\n\n');
    expect(parser.retryMs).toBe(1500);
  });

  it('gives no event that the end of the stream cut off', () => {
    expect(parse(['data: whole\n\ndata: half\n'])).toEqual([{ id: '', event: 'message', data: 'whole' }]);
  });

  it('refuses an event without end', () => {
    const parser = new SseParser();
    const piece = 'x'.repeat(1024 * 1024);
    expect(() => {
      for (let n = 0; n < 5; n += 1) parser.push(n === 0 ? `data: ${piece}` : piece);
    }).toThrow(RangeError);
    const lines = new SseParser();
    expect(() => lines.push(`data: ${piece}\n`.repeat(5))).toThrow(RangeError);
  });

  it('reads the same events wherever the stream is cut and whichever line ends it uses', () => {
    const text = fc.string({ unit: 'grapheme' }).map((value) => value.replaceAll(/[\r\n\0]/g, ''));
    const message = fc.record({
      id: text,
      event: text,
      data: fc.array(text, { minLength: 1, maxLength: 3 }),
      comment: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 5 }),
        fc.constantFrom('\n', '\r', '\r\n'),
        fc.array(fc.nat(500), { maxLength: 20 }),
        (messages, end, places) => {
          const stream = messages
            .flatMap(({ id, event, data, comment }) => [
              ...(comment ? [': keep alive'] : []),
              `id: ${id}`,
              `event: ${event}`,
              ...data.map((line) => `data: ${line}`),
              '',
            ])
            .map((line) => line + end)
            .join('');
          expect(parse(cut(stream, places))).toEqual(
            messages.map(({ id, event, data }) => ({
              id,
              event: event || 'message',
              data: data.join('\n'),
            })),
          );
        },
      ),
    );
  });
});
