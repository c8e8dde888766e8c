import { defineConfig } from 'vitest/config';
import config from '../vitest.config.ts';

/** For `npm run test:compat`: the clients of others that take long to install. */
export default defineConfig({
  test: { ...config.test, include: ['test/compat/**/*.compat.ts'], maxWorkers: 1 },
});
