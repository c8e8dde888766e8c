/** The process: environment in, signals and exit codes out. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import closeWithGrace from 'close-with-grace';
import { pino } from 'pino';
import { type App, startApp } from './app.ts';
import { progressOn } from './cli/progress.ts';
import { ConfigError, readConfig, VARIABLES } from './config.ts';
import { Failure } from './domain/failure.ts';
import { ModelError } from './models/model-error.ts';

const root = join(import.meta.dirname, '..');

/** What a shutdown may take: utterances in flight are finished and stored. */
const CLOSE_WITHIN_MS = 30_000;

if (process.argv.includes('--help')) {
  console.log('Earshot is configured by environment variables, also from a file .env:\n');
  for (const { name, fallback, meaning } of VARIABLES)
    console.log(`  ${name}${fallback === '' ? '' : `=${fallback}`}\n      ${meaning}`);
  process.exit(0);
}

if (existsSync('.env')) process.loadEnvFile('.env');

// ONNX Runtime would keep usage data in the home folder; nothing here is to be collected.
process.env.ORT_DISABLE_TELEMETRY ??= '1';

let app: App | null = null;
const closing = closeWithGrace({ delay: CLOSE_WITHIN_MS, logger: false }, async ({ err, signal }) => {
  if (err) logger.fatal({ err }, 'stopped by an error');
  else logger.info({ signal }, 'stopping');
  await app?.close();
  if (err) process.exitCode = 1;
});

/** Says what is wrong in words rather than with a stack, where it is something the operator can mend. */
function explain(error: unknown): string {
  if (error instanceof ConfigError || error instanceof Failure || error instanceof ModelError)
    return error.message;
  const { code, port } = error as NodeJS.ErrnoException & { port?: number };
  if (code === 'EADDRINUSE') return `Port ${port} is in use; stop what uses it, or choose another with PORT.`;
  if (code === 'EACCES') return `Port ${port} may not be used by this user; choose one above 1023 with PORT.`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

let logger = pino();
try {
  const config = readConfig(process.env);
  logger = pino({ level: config.LOG_LEVEL });
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const places = {
    models: join(root, 'models'),
    page: join(root, 'dist', 'web-demo'),
    client: join(root, 'dist', 'client'),
    searchPath: process.env.PATH ?? '',
    version,
  };
  const bar = progressOn(process.stderr, true);
  app = await startApp(config, places, logger, ({ receivedBytes, totalBytes }) =>
    bar.update(`downloading ${config.STT_MODEL}`, receivedBytes, totalBytes),
  );
  bar.clear();
  logger.info({ url: app.url }, 'ready');
} catch (error) {
  console.error(`earshot: ${explain(error)}`);
  closing.uninstall();
  process.exit(1);
}
