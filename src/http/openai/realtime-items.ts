/**
 * How our events become items, as a pure state machine. Positions are milliseconds of all audio written over the
 * connection, whichever of our sessions took it.
 *
 * With turn detection each utterance is an item, told of from its beginning on. Without it the client's commits make the
 * items: each has what was said since the last, and utterances that we find on the way are parts of it.
 *
 * An utterance belongs before a mark (a commit, a clear) if it ended there or earlier: one that begins after the mark may
 * be given some audio from before it, so beginnings do not tell.
 */
import { joinText } from '../../domain/session.ts';
import { committed, completed, delta, failed, type ServerEvent } from './realtime-events.ts';
import { type ItemsInput, type ItemsState, itemIdOf, type Mark, type Open } from './realtime-items-state.ts';

type Step = readonly [ItemsState, readonly ServerEvent[]];

/** The state after `input`, and what the client is to be told. */
export function step(state: ItemsState, input: ItemsInput): Step {
  switch (input.kind) {
    case 'started':
      // Where it may be of what was cleared, its end will tell.
      return state.detects && input.startMs >= state.clearedMs ? announced(state, input) : [state, []];
    case 'partial':
      return onPartial(state, input);
    case 'final':
    case 'suppressed':
      return onEnd(state, input);
    case 'commit':
      return state.detects ? onCommitDetecting(state, input) : onCommit(state, input);
    case 'settled':
      return onSettled(state);
    case 'clear':
      return onClear(state, input.atMs);
    case 'detection':
      return onDetection(state, input);
    case 'broken':
      return onBroken(state, input.error);
  }
}

const isOpen = ({ open }: ItemsState, utteranceId: string): boolean =>
  open.some((one) => one.utteranceId === utteranceId);

/** Runs one step after another. */
function both([state, told]: Step, next: (state: ItemsState) => Step): Step {
  const [after, more] = next(state);
  return [after, [...told, ...more]];
}

/** Tells of an utterance, unless that is done; what is open before it has ended by now. */
function announced(
  state: ItemsState,
  { utteranceId, startMs }: { utteranceId: string; startMs: number },
): Step {
  if (isOpen(state, utteranceId)) return [state, []];
  const from = Math.max(startMs, state.clearedMs);
  const closed = state.open.reduce<Step>(
    (sofar, one) => both(sofar, (now) => closedAt(now, one.utteranceId, from)),
    [state, []],
  );
  return both(closed, (now) => [
    {
      ...now,
      open: [...now.open, { utteranceId, startMs: from, isCommitted: false, isCleared: false, told: '' }],
    },
    [
      {
        type: 'input_audio_buffer.speech_started',
        item_id: itemIdOf(utteranceId),
        audio_start_ms: from,
      },
    ],
  ]);
}

/** The utterance has ended, and is an item from now on. */
function closedAt(state: ItemsState, utteranceId: string, endMs: number): Step {
  if (state.open.find((one) => one.utteranceId === utteranceId)?.isCommitted !== false) return [state, []];
  const item_id = itemIdOf(utteranceId);
  return both([state, [{ type: 'input_audio_buffer.speech_stopped', item_id, audio_end_ms: endMs }]], (now) =>
    madeItem(now, utteranceId, endMs),
  );
}

function madeItem(state: ItemsState, utteranceId: string, endMs: number): Step {
  const item_id = itemIdOf(utteranceId);
  const answered = state.marks.findIndex((mark) => mark.kind === 'asked' && endMs <= mark.atMs);
  return [
    {
      ...state,
      lastItemId: item_id,
      fromMs: Math.max(state.fromMs, endMs),
      open: state.open.map((one) => (one.utteranceId === utteranceId ? { ...one, isCommitted: true } : one)),
      marks: state.marks.map((mark, at) => (at === answered ? { ...mark, kind: 'answered' } : mark)),
    },
    committed(item_id, state.lastItemId),
  ];
}

function onPartial(state: ItemsState, input: Extract<ItemsInput, { kind: 'partial' }>): Step {
  const { utteranceId, endMs, stable } = input;
  if (!isOpen(state, utteranceId) && (!state.detects || endMs <= state.clearedMs)) return [state, []];
  return both(announced(state, input), (now) => toldMore(now, utteranceId, stable));
}

/** Tells what is new of a text; one that is not longer, or another, has nothing new. */
function toldMore(state: ItemsState, utteranceId: string, text: string): Step {
  const one = state.open.find((open) => open.utteranceId === utteranceId)!;
  if (!text.startsWith(one.told)) return [state, []];
  const open = state.open.map((other) => (other === one ? { ...one, told: text } : other));
  return [{ ...state, open }, delta(itemIdOf(utteranceId), text.slice(one.told.length))];
}

function onEnd(state: ItemsState, input: Extract<ItemsInput, { kind: 'final' | 'suppressed' }>): Step {
  const { utteranceId, endMs } = input;
  if (isOpen(state, utteranceId)) return ended(state, input);
  const mark = state.marks.find(({ fromMs, atMs }) => fromMs < endMs && endMs <= atMs);
  if (mark?.kind === 'item') return ofItem(state, mark, input);
  if (!mark && endMs <= state.clearedMs) return [state, []];
  if (state.detects || mark) return both(announced(state, input), (now) => ended(now, input));
  if (input.kind === 'suppressed') return [state, []];
  const { text, language } = input;
  return [{ ...state, uncommitted: [...state.uncommitted, { text, language }] }, []];
}

const WITHHELD = { code: 'withheld', message: 'It is not sure that this was said at all.' };

/** An utterance that is an item of its own has its transcript, or will have none. */
function ended(state: ItemsState, input: Extract<ItemsInput, { kind: 'final' | 'suppressed' }>): Step {
  const { utteranceId, startMs, endMs } = input;
  const id = itemIdOf(utteranceId);
  const said = input.kind === 'final' ? [input] : [];
  const text = joinText(said);
  const closed = closedAt(state, utteranceId, endMs);
  return both(
    both(closed, (now) => toldMore(now, utteranceId, text)),
    (now) => {
      const { told } = now.open.find((one) => one.utteranceId === utteranceId)!;
      const open = now.open.filter((one) => one.utteranceId !== utteranceId);
      // What was told as certain cannot be taken back by an empty transcript.
      const isTakenBack = text === '' && told !== '';
      return [{ ...now, open }, [isTakenBack ? failed(id, WITHHELD) : completed(id, said, endMs - startMs)]];
    },
  );
}

/** Something said before a commit that made an item. */
function ofItem(
  state: ItemsState,
  mark: Mark & { kind: 'item' },
  input: Extract<ItemsInput, { kind: 'final' | 'suppressed' }>,
): Step {
  if (input.kind === 'suppressed') return [state, []];
  const { text, language } = input;
  const finals = [...mark.finals, { text, language }];
  const more = joinText(finals).slice(joinText(mark.finals).length);
  const marks = state.marks.map((other) => (other === mark ? { ...mark, finals } : other));
  return [{ ...state, marks }, delta(mark.itemId, more)];
}

type Commit = Pick<Extract<ItemsInput, { kind: 'commit' }>, 'itemId' | 'atMs'>;

function onCommit(state: ItemsState, { itemId, atMs }: Commit): Step {
  const { uncommitted: finals, fromMs, marks, lastItemId } = state;
  return [
    {
      ...state,
      lastItemId: itemId,
      fromMs: atMs,
      marks: [...marks, { kind: 'item', itemId, fromMs, atMs, finals }],
      uncommitted: [],
    },
    [...committed(itemId, lastItemId), ...delta(itemId, joinText(finals))],
  ];
}

/** The open utterance ends here and is an item at once; where none is known, it may still be found. */
function onCommitDetecting(state: ItemsState, { itemId, atMs }: Commit): Step {
  const { fromMs } = state;
  const speaking = state.open.find(({ isCommitted, isCleared }) => !isCommitted && !isCleared);
  const mark: Mark = { kind: speaking ? 'answered' : 'asked', itemId, fromMs, atMs };
  const marked = { ...state, fromMs: atMs, marks: [...state.marks, mark] };
  return speaking ? madeItem(marked, speaking.utteranceId, atMs) : [marked, []];
}

function onSettled(state: ItemsState): Step {
  const [mark, ...marks] = state.marks;
  if (!mark) return [state, []];
  return both(answeredMark({ ...state, marks }, mark), (now) =>
    without(now, (one) => one.isCleared && !mayBeCommitted(now, one)),
  );
}

/** Whether an open utterance may turn out to have ended before a commit that is not settled. */
const mayBeCommitted = ({ marks }: ItemsState, { startMs }: Open): boolean =>
  marks.some(({ atMs }) => startMs < atMs);

/** Lets go of open utterances whose audio was cleared: what was told of them is taken back. */
function without(state: ItemsState, isGone: (one: Open) => boolean): Step {
  const error = { code: 'input_audio_buffer_cleared', message: 'The client cleared this audio.' };
  const gone = state.open.filter(isGone).filter(({ isCommitted, told }) => isCommitted || told !== '');
  return [
    { ...state, open: state.open.filter((one) => !isGone(one)) },
    gone.map(({ utteranceId }) => failed(itemIdOf(utteranceId), error)),
  ];
}

/** All that was said before a commit is known. */
function answeredMark(settled: ItemsState, mark: Mark): Step {
  const lengthMs = mark.atMs - mark.fromMs;
  switch (mark.kind) {
    case 'item':
      return [settled, [completed(mark.itemId, mark.finals, lengthMs)]];
    case 'answered':
      return [settled, []];
    case 'asked':
      return [
        { ...settled, lastItemId: mark.itemId },
        [...committed(mark.itemId, settled.lastItemId), completed(mark.itemId, [], lengthMs)],
      ];
  }
}

/** What was told of an utterance that is not an item yet is taken back: no transcript of it will come. */
function onClear(state: ItemsState, atMs: number): Step {
  const open = state.open.map((one) => (one.isCommitted ? one : { ...one, isCleared: true }));
  const cleared = { ...state, fromMs: atMs, clearedMs: atMs, open, uncommitted: [] };
  return both(
    without(cleared, (one) => one.isCleared && !mayBeCommitted(state, one)),
    (now) => [now, [{ type: 'input_audio_buffer.cleared' }]],
  );
}

/** What was said without turn detection and not committed would have been an item with it. */
function onDetection(
  state: ItemsState,
  { isOn, ...commit }: Extract<ItemsInput, { kind: 'detection' }>,
): Step {
  const switched = { ...state, detects: isOn };
  if (!isOn || state.uncommitted.length === 0) return [switched, []];
  const { uncommitted, fromMs } = state;
  return both(onCommit(switched, commit), ({ marks, ...now }) => [
    { ...now, marks: marks.slice(0, -1) },
    [completed(commit.itemId, uncommitted, commit.atMs - fromMs)],
  ]);
}

function onBroken(state: ItemsState, error: { code: string; message: string }): Step {
  const ids = [
    ...state.open.map(({ utteranceId }) => itemIdOf(utteranceId)),
    ...state.marks.filter(({ kind }) => kind === 'item').map(({ itemId }) => itemId),
  ];
  return [{ ...state, open: [], marks: [], uncommitted: [] }, ids.map((id) => failed(id, error))];
}
