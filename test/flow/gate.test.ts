import { describe, expect, it } from 'vitest';
import { Gate } from '../../src/flow/gate.ts';

/** Long enough for every chain of settled promises. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Who is inside, and how each of them leaves. */
async function arrive(gate: Gate, inside: Map<string, () => void>, names: readonly string[]): Promise<void> {
  for (const name of names)
    void gate.enter(name.startsWith('alone')).then((leave) =>
      inside.set(name, () => {
        inside.delete(name);
        leave();
      }),
    );
  await settle();
}

describe('a gate', () => {
  it.each([
    { come: ['a', 'b', 'c'], stages: [['a', 'b', 'c']] },
    { come: ['alone'], stages: [['alone'], []] },
    { come: ['a', 'b', 'alone'], stages: [['a', 'b'], ['b'], ['alone'], []] },
    { come: ['alone', 'a', 'b'], stages: [['alone'], ['a', 'b']] },
    { come: ['a', 'alone', 'b'], stages: [['a'], ['alone'], ['b']] },
    { come: ['alone 1', 'alone 2', 'a'], stages: [['alone 1'], ['alone 2'], ['a']] },
  ])('lets $come in one stage after the other, as they came', async ({ come, stages }) => {
    const inside = new Map<string, () => void>();
    const gate = new Gate();
    await arrive(gate, inside, come);
    for (const stage of stages) {
      expect([...inside.keys()]).toEqual(stage);
      inside.values().next().value?.();
      await settle();
    }
  });
});
