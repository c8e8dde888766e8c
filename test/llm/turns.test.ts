import { describe, expect, it } from 'vitest';
import { Turns } from '../../src/llm/turns.ts';

const patient = new AbortController().signal;

describe('turns', () => {
  it('are given in order, as they are given back', async () => {
    const turns = new Turns(1, 2);
    const order: number[] = [];
    const giveBack = await turns.take(patient);
    const second = turns.take(patient).then((give) => {
      order.push(2);
      give();
    });
    const third = turns.take(patient).then((give) => {
      order.push(3);
      give();
    });
    expect(order).toEqual([]);
    giveBack();
    giveBack();
    await Promise.all([second, third]);
    expect(order).toEqual([2, 3]);
  });

  it('are refused where the line is full', async () => {
    const turns = new Turns(1, 1);
    await turns.take(patient);
    void turns.take(patient);
    await expect(turns.take(patient)).rejects.toMatchObject({ code: 'llm_overloaded' });
  });

  it('pass over those who left the line', async () => {
    const turns = new Turns(1, 1);
    const giveBack = await turns.take(patient);
    const leaving = new AbortController();
    const left = turns.take(leaving.signal);
    leaving.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    const next = turns.take(patient);
    giveBack();
    await next;
    await expect(turns.take(AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late');
  });
});
