/** Values on the command lines of the benches. */

/** @throws Error naming the option where `text` is no whole number from 1 on. */
export function whole(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new Error(`${name}: ${text} is not a whole number from 1 on`);
  return value;
}

/** What asks for the same again. @param script As `npm run` knows it. */
export const commandOf = (script: string, args: readonly string[]): string =>
  [`npm run ${script}`, ...(args.length > 0 ? ['--', ...args] : [])].join(' ');
