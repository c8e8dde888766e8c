import { type CSSResultGroup, LitElement } from 'lit';
import { shared } from '../styles/shared.ts';
import type { Words } from '../words/words.ts';

/** What all components of the page share: the words they speak, handed down from the page, and the base style. */
export abstract class Component extends LitElement {
  static override properties: Record<string, object> = { words: { attribute: false } };
  static override styles: CSSResultGroup = [shared];
  declare words: Words;
}

/** The properties of a component, none of which is an attribute. */
export const properties = <K extends string>(...names: K[]): Record<string, object> => ({
  ...Component.properties,
  ...Object.fromEntries(names.map((name) => [name, { attribute: false }])),
});

/** Registers an element once, however often its module is loaded. */
export function define(name: string, element: CustomElementConstructor): void {
  if (!customElements.get(name)) customElements.define(name, element);
}
