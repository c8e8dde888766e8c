import { Observable } from '../state/observable.ts';
import { en } from './en.ts';
import { ko } from './ko.ts';
import type { Words } from './words.ts';

/** The languages of the interface, each under its own name. */
export const INTERFACE_LANGUAGES: readonly { readonly words: Words; readonly name: string }[] = [
  { words: en, name: 'English' },
  { words: ko, name: '한국어' },
];

const KEY = 'earshot.interface';

/** Which language the page speaks: the one chosen last, else the first of the browser's that it knows. */
export class Locale extends Observable {
  #words: Words;

  constructor() {
    super();
    const wanted = [localStorage.getItem(KEY) ?? '', ...navigator.languages];
    const known = wanted.map((tag) => find(tag)).find((words) => words !== undefined);
    this.#words = known ?? en;
    document.documentElement.lang = this.#words.tag;
  }

  get words(): Words {
    return this.#words;
  }

  choose(tag: string): void {
    this.#words = find(tag) ?? this.#words;
    localStorage.setItem(KEY, this.#words.tag);
    document.documentElement.lang = this.#words.tag;
    this.changed();
  }
}

const find = (tag: string): Words | undefined =>
  INTERFACE_LANGUAGES.find(({ words }) => words.tag === tag.split('-')[0])?.words;
