/** What may happen to a store, by chance: the sequences of the model test are made of these. */
import fc from 'fast-check';

/** Sessions there are at a time, and nodes that work on them. */
export const SLOTS = 2;
export const NODES = ['one', 'two', 'three'] as const;
/** Receivers, one of them more often than others, so that sessions share it; null for none. */
export const HOOKS = ['https://a.example/', 'https://a.example/', 'https://b.example/', null] as const;
/** What is said of a session. Ends are rarer than words, so that there is something to end. */
export type Kind = 'session.started' | 'transcript.final' | 'session.done' | 'session.failed';

/** Added to what a node knows of its turn. */
export interface Skew {
  readonly fence: number;
  readonly afterSeq: number;
}

export type VerdictKind = 'sent' | 'retry' | 'disable' | 'given_up';

export type Action =
  | { readonly kind: 'create'; readonly slot: number; readonly hook: number }
  | { readonly kind: 'claim'; readonly slot: number; readonly node: number; readonly forMs: number }
  | { readonly kind: 'release'; readonly slot: number; readonly node: number }
  | { readonly kind: 'pass'; readonly ms: number }
  /** The process of a node that is alone dies and begins anew: it knows nothing, and ends all claims and leases. */
  | { readonly kind: 'restart' }
  | {
      readonly kind: 'append' | 'replay';
      readonly slot: number;
      readonly node: number;
      readonly what: readonly Kind[];
      /** Null to write without a turn. */
      readonly skew: Skew | null;
    }
  /** The answer to a node's last append got lost: it is sent again. */
  | { readonly kind: 'repeat'; readonly slot: number; readonly node: number }
  | { readonly kind: 'take'; readonly perEndpoint: number; readonly isBusy: boolean }
  | { readonly kind: 'keepBody'; readonly slot: number }
  /** `due` counts back from the delivery taken last, or the one before it, whose lease may be stale. */
  | { readonly kind: 'record'; readonly due: number; readonly verdict: VerdictKind }
  | { readonly kind: 'giveBack'; readonly due: number }
  | { readonly kind: 'redeliver'; readonly slot: number; readonly isStranger: boolean }
  | { readonly kind: 'redeliverFailed'; readonly sinceMs: number }
  | { readonly kind: 'abandoned' }
  | { readonly kind: 'delete'; readonly slot: number; readonly isStranger: boolean };

const slot = fc.nat(SLOTS - 1);
const node = fc.nat(NODES.length - 1);
/** Mostly the last. */
const due = fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(3) });
const NONE: Skew = { fence: 0, afterSeq: 0 };
/** Mostly what the node knows, as it happens; sometimes what nobody could. */
const skew = fc.oneof(
  { weight: 8, arbitrary: fc.constant(NONE) },
  {
    weight: 1,
    arbitrary: fc.record({ fence: fc.constantFrom(-1, 0, 1), afterSeq: fc.constantFrom(-1, 0, 1) }),
  },
  { weight: 1, arbitrary: fc.constant(null) },
);
const what = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Kind[]>(['session.started']) },
  { weight: 3, arbitrary: fc.constant<Kind[]>(['session.started', 'transcript.final', 'session.done']) },
  { weight: 2, arbitrary: fc.constantFrom<Kind[]>(['session.done'], ['session.failed']) },
  {
    weight: 3,
    arbitrary: fc.array(
      fc.constantFrom<Kind>(
        'transcript.final',
        'transcript.final',
        'session.started',
        'session.done',
        'session.failed',
      ),
      { minLength: 1, maxLength: 3 },
    ),
  },
);
const ms = fc.constantFrom(1, 999, 1000, 1001, 20_000, 6 * 86_400_000);
const isRare = fc.oneof(
  { weight: 7, arbitrary: fc.constant(false) },
  { weight: 1, arbitrary: fc.constant(true) },
);

const verdict = fc.constantFrom<VerdictKind>('sent', 'sent', 'sent', 'retry', 'disable', 'given_up');

const of = <K extends Action['kind']>(kind: K) => fc.constant(kind);

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: of('create'), slot, hook: fc.nat(HOOKS.length - 1) }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: of('claim'), slot, node, forMs: fc.constantFrom(1000, 15_000) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: of('release'), slot, node }) },
  { weight: 4, arbitrary: fc.record({ kind: of('pass'), ms }) },
  { weight: 1, arbitrary: fc.record({ kind: of('restart') }) },
  { weight: 10, arbitrary: fc.record({ kind: of('append'), slot, node, what, skew }) },
  { weight: 2, arbitrary: fc.record({ kind: of('replay'), slot, node, what, skew }) },
  { weight: 2, arbitrary: fc.record({ kind: of('repeat'), slot, node }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: of('take'), perEndpoint: fc.constantFrom(1, 9), isBusy: isRare }),
  },
  { weight: 2, arbitrary: fc.record({ kind: of('keepBody'), slot }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: of('record'), due, verdict }),
  },
  { weight: 1, arbitrary: fc.record({ kind: of('giveBack'), due }) },
  { weight: 3, arbitrary: fc.record({ kind: of('redeliver'), slot, isStranger: isRare }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: of('redeliverFailed'), sinceMs: fc.constantFrom(0, 1000, 86_400_000) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: of('abandoned') }) },
  { weight: 1, arbitrary: fc.record({ kind: of('delete'), slot, isStranger: isRare }) },
);

/** What belongs together, so that sequences get somewhere: chance alone would seldom deliver anything. */
const phrase: fc.Arbitrary<readonly Action[]> = fc
  .record({
    slot,
    node,
    ending: fc.constantFrom<Kind>('session.done', 'session.failed'),
    verdict,
    name: fc.constantFrom('life', 'whole life', 'overtaken', 'asked meanwhile', 'delivery', 'takeover'),
  })
  .map(({ slot, node, ending, verdict, name }): readonly Action[] => {
    const skew = NONE;
    const take: Action = { kind: 'take', perEndpoint: 9, isBusy: false };
    const deliver: Action[] = [take, { kind: 'record', due: 0, verdict }];
    const redeliver: Action = { kind: 'redeliver', slot, isStranger: false };
    const life: Action[] = [
      { kind: 'create', slot, hook: 0 },
      { kind: 'claim', slot, node, forMs: 1000 },
      { kind: 'append', slot, node, what: ['session.started', 'transcript.final'], skew },
      { kind: 'append', slot, node, what: ['transcript.final', ending], skew },
    ];
    switch (name) {
      case 'life':
        return life;
      case 'whole life':
        return [...life, ...deliver, redeliver, ...deliver];
      case 'overtaken':
        return [...life, take, { kind: 'pass', ms: 1000 }, take, { kind: 'record', due: 1, verdict }];
      case 'asked meanwhile':
        return [...life, take, redeliver, { kind: 'record', due: 0, verdict }];
      case 'delivery':
        return deliver;
      default:
        return [
          { kind: 'claim', slot, node, forMs: 1000 },
          { kind: 'pass', ms: 1001 },
          { kind: 'claim', slot, node: (node + 1) % NODES.length, forMs: 1000 },
          { kind: 'append', slot, node, what: ['transcript.final'], skew },
        ];
    }
  });

/** A sequence: it begins with a session, since before it nothing can happen. */
export const actions: fc.Arbitrary<readonly Action[]> = fc
  .tuple(
    fc.record({ kind: of('create'), slot: fc.constant(0), hook: fc.nat(HOOKS.length - 1) }),
    fc.array(
      fc.oneof({ weight: 3, arbitrary: action.map((one) => [one]) }, { weight: 1, arbitrary: phrase }),
      { minLength: 4, maxLength: 24, size: 'max' },
    ),
  )
  .map(([first, rest]) => [first, ...rest.flat()]);
