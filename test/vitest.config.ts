import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    // One more than cores: many tests wait for speech in real time, and few compute all the while.
    maxWorkers: 3,
    // Bounds for what hangs, not measures of speed: a busy machine is several times slower.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
