import { EarshotError } from '../client/error.ts';
import { Failure } from '../domain/failure.ts';

/** 0: all went well. 1: something could not be transcribed. 2: wrong usage. 3: no gateway answers. */
export type ExitCode = 0 | 1 | 2 | 3;

/** The command line cannot be understood, or what it names is not there. */
export class UsageError extends Error {}

/** Runs a command to its exit code; what goes wrong is told in a sentence on standard error, never as a stack. */
export async function runCommand(
  help: string,
  url: () => string,
  run: () => Promise<ExitCode>,
): Promise<void> {
  try {
    process.exitCode = await run();
  } catch (error) {
    process.exitCode = exitCodeOf(error);
    console.error(explain(error, url));
    if (process.exitCode === 2) console.error(`\n${help}`);
  }
}

/** Whether `parseArgs` threw it. */
const isArgumentError = (error: unknown): boolean =>
  String((error as { code?: unknown }).code).startsWith('ERR_PARSE_ARGS') ||
  (error as { code?: unknown }).code === 'ERR_INVALID_URL';

function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof UsageError || isArgumentError(error)) return 2;
  return error instanceof EarshotError && error.code === 'unreachable' ? 3 : 1;
}

/** What happened, and what to do next. */
export function explain(error: unknown, url: () => string): string {
  if (error instanceof EarshotError) {
    switch (error.code) {
      case 'unreachable':
        return `No gateway answers at ${url()}. Start one with: npm start`;
      case 'unauthorized':
        return 'The gateway asks for a key: pass --key, or set EARSHOT_KEY.';
      case 'unexpected_answer':
        return `What answers at ${url()} is no Earshot gateway (${error.message}).`;
      case 'not_resumable':
      case 'connection_lost':
        return `${error.message}.${error.session ? ` Stored so far: ${error.session.text || '(nothing)'}` : ''}`;
      default:
        return `${error.message} (${error.code})`;
    }
  }
  if (error instanceof UsageError || error instanceof Failure || isArgumentError(error))
    return (error as Error).message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
