/**
 * Earliest deadline first: the classic schedule that is optimal on one processor when it can be met at all
 * (Liu and Layland, 1973). A binary heap, ties in order of arrival.
 */
export class DeadlineQueue<T> {
  readonly #heap: { item: T; deadlineMs: number; order: number }[] = [];
  #arrivals = 0;

  get size(): number {
    return this.#heap.length;
  }

  /** @param deadlineMs On any one clock; only the order counts. */
  push(item: T, deadlineMs: number): void {
    this.#heap.push({ item, deadlineMs, order: this.#arrivals++ });
    this.#rise(this.#heap.length - 1);
  }

  /** The item whose deadline is next of those that are `wanted`, left where it is. */
  peekWhere(wanted: (item: T) => boolean): { readonly item: T; readonly deadlineMs: number } | undefined {
    let best = -1;
    for (let at = 0; at < this.#heap.length; at++)
      if (wanted(this.#heap[at]!.item) && (best < 0 || this.#before(at, best))) best = at;
    return this.#heap[best];
  }

  /** Takes the item whose deadline is next, or undefined. */
  pop(): T | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (first && last && first !== last) {
      this.#heap[0] = last;
      this.#sink(0);
    }
    return first?.item;
  }

  /** Takes out one item wherever it stands; false where it is not waiting. */
  remove(item: T): boolean {
    const at = this.#heap.findIndex((entry) => entry.item === item);
    if (at < 0) return false;
    const last = this.#heap.pop()!;
    if (at < this.#heap.length) {
      this.#heap[at] = last;
      this.#rise(at);
      this.#sink(at);
    }
    return true;
  }

  #before(a: number, b: number): boolean {
    const x = this.#heap[a]!;
    const y = this.#heap[b]!;
    return x.deadlineMs < y.deadlineMs || (x.deadlineMs === y.deadlineMs && x.order < y.order);
  }

  #swap(a: number, b: number): void {
    [this.#heap[a], this.#heap[b]] = [this.#heap[b]!, this.#heap[a]!];
  }

  #rise(from: number): void {
    for (let at = from; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!this.#before(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #sink(from: number): void {
    for (let at = from; ; ) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2])
        if (child < this.#heap.length && this.#before(child, least)) least = child;
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }
}
