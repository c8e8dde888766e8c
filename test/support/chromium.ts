/** Where Chromium is, for tests of what happens in a browser. */
import { existsSync } from 'node:fs';

export const chromiumPath = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Whether to test without it. Continuous integration installs it, and fails where it is not there all the same. */
export const isWithoutChromium = !process.env.CI && !existsSync(chromiumPath);
