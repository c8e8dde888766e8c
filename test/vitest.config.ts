import { configDefaults, defineConfig } from 'vitest/config';
import { chromiumPath, isWithoutChromium } from './support/chromium.ts';

if (isWithoutChromium)
  console.warn(
    `There is no Chromium at ${chromiumPath}: nothing is tested in a browser. CHROMIUM may name another.`,
  );

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...(isWithoutChromium ? ['test/page/**'] : [])],
    // One more than cores: many tests wait for speech in real time, and few compute all the while.
    maxWorkers: 3,
    // Bounds for what hangs, not measures of speed: a busy machine is several times slower.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
