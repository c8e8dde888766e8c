import { describe, expect, it } from 'vitest';
import { Failure } from '../../../src/domain/failure.ts';
import { params } from '../../../src/http/openai/problem.ts';
import { readClientEvent } from '../../../src/http/openai/realtime-messages.ts';

const read = (message: unknown) =>
  readClientEvent(typeof message === 'string' ? message : JSON.stringify(message));
const append = (audio: unknown) => ({ type: 'input_audio_buffer.append', audio });

describe('a message of a Realtime client', () => {
  it.each([
    [
      { type: 'session.update', session: { a: 1 } },
      { type: 'session.update', session: { a: 1 } },
    ],
    [{ type: 'input_audio_buffer.commit' }, { type: 'input_audio_buffer.commit' }],
    [{ type: 'input_audio_buffer.clear', more: 1 }, { type: 'input_audio_buffer.clear' }],
    [append(''), append(Buffer.alloc(0))],
    [append('AQ=='), append(Buffer.from([1]))],
    [append('AQ'), append(Buffer.from([1]))],
    [append('AQI='), append(Buffer.from([1, 2]))],
    [append('AQID'), append(Buffer.from([1, 2, 3]))],
    [append('_-8='), append(Buffer.from([255, 239]))],
  ])('is read: %j', (message, event) => {
    expect(read(message)).toEqual({ eventId: null, event });
    expect(read({ ...message, event_id: 'mine' })).toEqual({ eventId: 'mine', event });
  });

  it.each([
    ['nothing', '', undefined],
    ['no JSON', '{"type":', undefined],
    ['a list', [], 'type'],
    ['no type', {}, 'type'],
    ['an id that is none', { type: 'input_audio_buffer.clear', event_id: 7 }, 'type'],
    ['an unknown type', { type: 'response.create' }, 'type'],
    ['no audio', append(undefined), 'audio'],
    ['audio in another way', append([1, 2]), 'audio'],
    ['foreign characters', append('AQ!!'), 'audio'],
    ['a digit too many', append('AQIDA'), 'audio'],
    ['padding that does not fit', append('AQID='), 'audio'],
    ['two pieces in one', append('AQ==AQ=='), 'audio'],
    ['too much audio', append(Buffer.alloc(15 * 1024 * 1024 + 1).toString('base64')), 'audio'],
  ])('is refused, not thrown at: %s', (_, message, field) => {
    const { event } = read(message);
    expect(event).toBeInstanceOf(Failure);
    expect((event as Failure).code).toBe('bad_message');
    expect(params.get(event as Failure)).toBe(field);
  });

  it('is answered with its id, also where it is unknown', () => {
    expect(read({ type: 'response.create', event_id: 'mine' }).eventId).toBe('mine');
  });
});
