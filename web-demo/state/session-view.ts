import type { ResetEvent, Session, SessionEvent, Utterance } from '../../src/client/index.ts';

/** A hypothesis: its first `stableChars` characters will not change. */
export interface Hypothesis {
  readonly startMs: number;
  readonly text: string;
  readonly stableChars: number;
}

export interface Answer {
  readonly id: string;
  readonly utteranceId: string | null;
  readonly text: string;
  readonly state: 'streaming' | 'done' | 'failed';
}

/** A session as the page shows it, whether it is recorded here, followed, or read from the store. */
export interface SessionView {
  readonly id: string;
  readonly source: 'live' | 'recording';
  readonly createdAt: string;
  readonly state: 'pending' | 'running' | 'done' | 'failed';
  readonly language: string;
  readonly model: string;
  readonly utterances: readonly Utterance[];
  readonly hypothesis: Hypothesis | null;
  /** How many passages a guard held back. */
  readonly withheld: number;
  readonly answers: readonly Answer[];
  /** How far a recording is; null where that is not known, or no longer of interest. */
  readonly progress: { readonly processedMs: number; readonly durationMs: number | null } | null;
  readonly durationMs: number | null;
  readonly failure: { readonly code: string; readonly message: string } | null;
}

/** A session that was just opened. */
export const newView = (id: string, source: SessionView['source']): SessionView => ({
  id,
  source,
  createdAt: new Date().toISOString(),
  state: 'pending',
  language: 'auto',
  model: '',
  utterances: [],
  hypothesis: null,
  withheld: 0,
  answers: [],
  progress: null,
  durationMs: null,
  failure: null,
});

/** A session as it was read. */
export function viewOf(session: Session): SessionView {
  const { id, source, createdAt, state, language, model, utterances, progress, audio, error } = session;
  return {
    ...newView(id, source),
    createdAt,
    state: stateOf(state, error !== null),
    language,
    model,
    utterances,
    answers: (session.llm?.responses ?? []).map(({ finishReason, ...answer }) => ({
      ...answer,
      state: finishReason === null ? 'streaming' : finishReason === 'failed' ? 'failed' : 'done',
    })),
    progress,
    durationMs: audio.durationMs,
    failure: error,
  };
}

function stateOf(state: Session['state'], failed: boolean): SessionView['state'] {
  switch (state) {
    case 'PENDING':
      return 'pending';
    case 'IN_PROGRESS':
      return 'running';
    case 'DONE':
    case 'FAILED':
    case 'SENT':
      return failed ? 'failed' : 'done';
  }
}

/** The view after one more event. */
export function fold(view: SessionView, event: SessionEvent | ResetEvent): SessionView {
  switch (event.type) {
    case 'session.started':
      return { ...view, state: 'running', language: event.language, model: event.model };
    case 'speech.started':
      return { ...view, hypothesis: { startMs: event.startMs, text: '', stableChars: 0 } };
    case 'transcript.partial': {
      const { startMs, text, stableChars } = event;
      // A hypothesis that was overtaken by its own final must not come back.
      if (view.utterances.some(({ id }) => id === event.utteranceId)) return view;
      return { ...view, hypothesis: { startMs, text, stableChars } };
    }
    case 'transcript.final': {
      const { utteranceId: id, startMs, endMs, text, language, confidence, words } = event;
      const utterance = { id, startMs, endMs, text, language, confidence, ...(words && { words }) };
      return { ...view, hypothesis: null, utterances: [...view.utterances, utterance] };
    }
    case 'transcript.suppressed':
      return { ...view, hypothesis: null, withheld: view.withheld + 1 };
    case 'llm.token': {
      const { responseId: id, utteranceId, delta } = event;
      const before = view.answers.find((answer) => answer.id === id)?.text ?? '';
      return withAnswer(view, { id, utteranceId, text: before + delta, state: 'streaming' });
    }
    case 'llm.done': {
      const { responseId: id, utteranceId, text } = event;
      return withAnswer(view, { id, utteranceId, text, state: 'done' });
    }
    case 'llm.failed': {
      const { responseId: id, utteranceId } = event;
      const text = view.answers.find((answer) => answer.id === id)?.text ?? '';
      return withAnswer(view, { id, utteranceId, text, state: 'failed' });
    }
    case 'session.progress':
      return { ...view, progress: { processedMs: event.processedMs, durationMs: event.durationMs } };
    case 'session.done':
      return { ...ended(view), state: 'done', durationMs: event.receipt.receivedMs };
    case 'session.failed':
      return { ...ended(view), state: 'failed', durationMs: event.receipt.receivedMs, failure: event.error };
    case 'session.sent':
    case 'reset':
      return view;
  }
}

const ended = (view: SessionView): SessionView => ({ ...view, hypothesis: null, progress: null });

function withAnswer(view: SessionView, answer: Answer): SessionView {
  const at = view.answers.findIndex(({ id }) => id === answer.id);
  return { ...view, answers: at < 0 ? [...view.answers, answer] : view.answers.with(at, answer) };
}

/** Languages written without spaces between words: their utterances are joined without one too. */
const UNSPACED = /^(ja|zh|yue|th|lo|my|km)\b/;

/** All that was said, as running text. */
export const textOf = ({ utterances }: SessionView): string =>
  utterances
    .map(({ text, language }, index) => (index === 0 || UNSPACED.test(language) ? text : ` ${text}`))
    .join('');
