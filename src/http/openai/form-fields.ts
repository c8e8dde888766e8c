/**
 * The fields of a form as OpenAI's clients write them: `name` for a value, `name[]` for each of a list, `name[key]` for a
 * member of an object. Lists come without their brackets, too.
 */
import { Failure } from '../../domain/failure.ts';
import { params } from './problem.ts';

/** A value, a list of them, or an object of them. */
export type Field = string | readonly string[] | Readonly<Record<string, string>>;

const NAME = /^([^[\]]+)(?:\[([^[\]]*)\])?$/;

/** The name of a field without its brackets. */
export const plainName = (name: string): string => NAME.exec(name)?.[1] ?? name;

/** A refusal of one field, by name. */
export function refusalOf(
  name: string,
  message: string,
  code: 'bad_request' | 'unsupported_option' = 'unsupported_option',
): Failure {
  const failure = new Failure(code, message);
  params.set(failure, name);
  return failure;
}

export class FormFields {
  readonly #values = new Map<string, string[]>();
  readonly #members = new Map<string, Map<string, string>>();
  readonly #lists = new Set<string>();

  /** @throws Failure `bad_request` for a field that is an object and something else, or a member given twice. */
  add(name: string, value: string): void {
    const plain = plainName(name);
    const member = NAME.exec(name)?.[2] ?? '';
    if (member === '') {
      const values = this.#values.get(plain) ?? [];
      this.#values.set(plain, [...values, value]);
      if (name.endsWith('[]')) this.#lists.add(plain);
    } else {
      const members = this.#members.get(plain) ?? new Map<string, string>();
      if (members.has(member)) throw refusalOf(plain, `${name}: given twice.`, 'bad_request');
      this.#members.set(plain, members.set(member, value));
    }
    if (this.#values.has(plain) && this.#members.has(plain))
      throw refusalOf(plain, `${plain}: given as an object, and as something else.`, 'bad_request');
  }

  /** All that was given, by plain name. */
  all(): Readonly<Record<string, Field>> {
    const fields: [string, Field][] = [];
    for (const [name, values] of this.#values)
      fields.push([name, values.length > 1 || this.#lists.has(name) ? values : values[0]!]);
    for (const [name, members] of this.#members) fields.push([name, Object.fromEntries(members)]);
    return Object.fromEntries(fields);
  }
}
