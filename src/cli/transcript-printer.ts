import type { SessionEvent, Word } from '../domain/event.ts';

/** Where text goes; a terminal can take back what stands on its last line. */
export interface Screen {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

const CLEAR_LINE = '\r\u001b[2K';
const DIM = '\u001b[2m';
const PLAIN = '\u001b[22m';

/** East Asian characters that take two columns (Unicode Standard Annex 11, the common ranges). */
const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/;

/**
 * Prints what is said: each final on a line of its own and, on a terminal, the hypothesis in place below it, its
 * unsettled words dimmed.
 */
export class TranscriptPrinter {
  readonly #screen: Screen;
  readonly #words: boolean;
  #hasHypothesis = false;

  /** @param words Prints a line for each word instead: start and end in seconds, confidence or `-`, word. */
  constructor(screen: Screen, words: boolean) {
    this.#screen = screen;
    this.#words = words;
  }

  print(event: SessionEvent): void {
    switch (event.type) {
      case 'transcript.final':
        this.clear();
        this.#screen.write(
          this.#words && event.words ? event.words.map(wordLine).join('') : `${event.text}\n`,
        );
        break;
      case 'transcript.partial':
        if (this.#screen.isTTY) this.#hypothesis(event.text, event.stableChars);
        break;
      case 'transcript.suppressed':
      case 'session.done':
      case 'session.failed':
        this.clear();
        break;
      default:
        break;
    }
  }

  /** Takes the hypothesis away. */
  clear(): void {
    if (this.#hasHypothesis) this.#screen.write(CLEAR_LINE);
    this.#hasHypothesis = false;
  }

  #hypothesis(text: string, stableChars: number): void {
    const from = startThatFits(text, (this.#screen.columns ?? 80) - 1);
    const settled = text.slice(from, Math.max(from, stableChars));
    const unsettled = text.slice(Math.max(from, stableChars));
    this.#screen.write(`${CLEAR_LINE}${settled}${DIM}${unsettled}${PLAIN}`);
    this.#hasHypothesis = true;
  }
}

const wordLine = ({ startMs, endMs, confidence, text }: Word): string =>
  `${(startMs / 1000).toFixed(3)}\t${(endMs / 1000).toFixed(3)}\t${confidence?.toFixed(2) ?? '-'}\t${text}\n`;

/** Where to begin, so that the end of the text fits on one line: the newest words are those of interest. */
function startThatFits(text: string, columns: number): number {
  let from = text.length;
  for (let left = columns; from > 0; from -= 1) {
    left -= WIDE.test(text[from - 1]!) ? 2 : 1;
    if (left < 0) return from;
  }
  return 0;
}
