import { describe, expect, it } from 'vitest';
import { freeBuffers } from '../../src/flow/free-buffers.ts';

describe('buffers that are given back', () => {
  it('are empty, and their memory is there again at once', () => {
    const before = process.memoryUsage().arrayBuffers;
    const views = Array.from({ length: 4 }, () => new Float32Array(2_000_000).fill(1));
    expect(process.memoryUsage().arrayBuffers - before).toBeGreaterThan(30_000_000);
    freeBuffers(views);
    expect(views.map(({ length }) => length)).toEqual([0, 0, 0, 0]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
  });

  it('may be given back again, or be none', () => {
    const view = new Float32Array(8);
    freeBuffers([view]);
    freeBuffers([view, new Float32Array(0)]);
    freeBuffers([]);
    expect(view.length).toBe(0);
  });
});
