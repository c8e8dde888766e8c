/** A form of OpenAI's audio endpoints, read field by field while the file goes to disk. */
import type { Task } from '../../domain/options.ts';
import type { Abilities } from '../options.ts';
import type { FormReader } from '../upload.ts';
import { isField, REFUSED, readFields, type Wishes } from './audio-fields.ts';
import { FormFields, plainName, refusalOf } from './form-fields.ts';

export class AudioForm implements FormReader {
  readonly #task: Task;
  readonly #abilities: Abilities;
  readonly #fields = new FormFields();
  #wishes: Wishes | null = null;

  constructor(task: Task, abilities: Abilities) {
    this.#task = task;
    this.#abilities = abilities;
  }

  /** How to answer; known once `options` has been asked for. */
  get wishes(): Wishes {
    if (!this.#wishes) throw new Error('the form has not been read to its end');
    return this.#wishes;
  }

  /** @throws Failure `unsupported_option` for what is no field here: before the file is read, where it comes first. */
  take(name: string, value: string): void {
    const plain = plainName(name);
    if (!isField(this.#task, plain))
      throw refusalOf(plain, REFUSED.get(plain) ?? `${plain}: there is no such field.`);
    this.#fields.add(name, value);
  }

  options(): object {
    const { wishes, options } = readFields(this.#task, this.#fields.all(), this.#abilities);
    this.#wishes = wishes;
    return options;
  }
}
