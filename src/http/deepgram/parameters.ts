/** Query parameters as Deepgram's clients write them: each once or several times, flags as `true` and `false`. */
import * as z from 'zod';
import { Failure } from '../../domain/failure.ts';

/** A parameter that may stand in the address several times. */
export const several = z.array(z.string());

/** A parameter that may stand there once. */
export const one = several.length(1, 'may be given once').transform(([value]) => value!);

/** `true` or `false`. */
export const flag = one.pipe(
  z.stringbool({ truthy: ['true'], falsy: ['false'], error: 'must be true or false' }),
);

/** A whole number within bounds. */
export const whole = (from: number, to: number) =>
  one.pipe(z.coerce.number<string>('must be a number').int('must be a whole number').min(from).max(to));

/** What asks for nothing. */
const NOTHING = new Set(['', 'false']);

/** A parameter that is refused by its name, unless its value asks for nothing. @param why A sentence for the client. */
export const refused = (why: string) =>
  several
    .refine((values) => values.every((value) => NOTHING.has(value.toLowerCase())), {
      message: `is not supported: ${why}`,
      params: { isUnsupported: true },
    })
    .optional();

/** The parameters of an address. */
export type Query = Readonly<Record<string, readonly string[]>>;

/**
 * Reads the parameters of an address.
 * @throws Failure `unsupported_option` where one is unknown or refused, `bad_request` where a value is out of range; both
 * name it.
 */
export function readParameters<S extends z.ZodType>(schema: S, query: Query): z.output<S> {
  const { data, error } = schema.safeParse(query);
  if (!error) return data;
  const issue = error.issues[0]!;
  if (issue.code === 'unrecognized_keys')
    throw new Failure('unsupported_option', `There is no parameter ${issue.keys[0]}.`);
  const isUnsupported = issue.code === 'custom' && issue.params?.isUnsupported === true;
  const message = `${String(issue.path[0])}: ${issue.message}.`;
  throw new Failure(isUnsupported ? 'unsupported_option' : 'bad_request', message);
}
