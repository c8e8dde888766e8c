import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { TranscriptPrinter } from '../../src/cli/transcript-printer.ts';
import type { SessionEvent } from '../../src/domain/event.ts';

const head = { sessionId: 'ses_1', at: '' };

const partial = (text: string, stableChars: number): SessionEvent => ({
  ...head,
  type: 'transcript.partial',
  utteranceId: 'utt_1',
  startMs: 0,
  endMs: 1,
  text,
  stableChars,
});

const final = (text: string): SessionEvent => ({
  ...head,
  type: 'transcript.final',
  seq: 1,
  utteranceId: 'utt_1',
  startMs: 0,
  endMs: 1,
  text,
  language: 'en',
  confidence: 1,
  words: [{ text: 'one', startMs: 40, endMs: 1_250, confidence: 0.987 }],
});

function printed(
  screen: { isTTY?: boolean; columns?: number },
  words: boolean,
  events: SessionEvent[],
): string {
  let output = '';
  const printer = new TranscriptPrinter({ ...screen, write: (text) => (output += text) }, words);
  for (const event of events) printer.print(event);
  return output;
}

describe('the transcript printer', () => {
  it('prints finals only where nothing can be taken back', () => {
    expect(printed({}, false, [partial('on', 0), final('one'), final('two')])).toBe('one\ntwo\n');
  });

  it('shows a hypothesis in place on a terminal, unsettled words dimmed, until the final takes its place', () => {
    const clear = '\r\u001b[2K';
    expect(printed({ isTTY: true }, false, [partial('one tw', 4), final('one two')])).toBe(
      `${clear}one \u001b[2mtw\u001b[22m${clear}one two\n`,
    );
  });

  it('keeps to one line, however long the hypothesis and however wide its characters', () => {
    const shown = (text: string) =>
      stripVTControlCharacters(printed({ isTTY: true, columns: 11 }, false, [partial(text, 0)])).trim();
    expect(shown('abcdefghijklmnop')).toBe('ghijklmnop');
    expect(shown('가나다라마바사')).toBe('다라마바사');
  });

  it('prints a line for each word when asked', () => {
    expect(printed({}, true, [final('one')])).toBe('0.040\t1.250\t0.99\tone\n');
  });
});
