/** Values on the command lines of the benches. */

/** @throws Error naming the option where `text` is no whole number from 1 on. */
export function whole(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new Error(`${name}: ${text} is not a whole number from 1 on`);
  return value;
}
