/** A gate through which several may be inside at a time, or one alone. */

/** Whoever comes first goes first, so that one who is to be alone is not kept waiting by those who come after. */
export class Gate {
  readonly #inside = new Set<Promise<void>>();
  #turn: Promise<unknown> = Promise.resolve();

  /** Resolves once inside, with what is to be called on leaving. */
  async enter(isAlone: boolean): Promise<() => void> {
    let leave = () => {};
    const left = new Promise<void>((resolve) => {
      leave = resolve;
    });
    const entered = this.#turn.then(async () => {
      if (isAlone) await Promise.all(this.#inside);
      this.#inside.add(left);
      void left.then(() => this.#inside.delete(left));
    });
    this.#turn = isAlone ? entered.then(() => left) : entered;
    await entered;
    return leave;
  }
}
