// The reflector as a state machine: how a copy of a collection is started, followed and mended.
// Invariant: pure, and every state but `stopped` has a way on, so a reflector never ends for good on its own.
import { unreachable } from '../../base/invariant.ts';

/** How the first state of the collection is read: by pages, or as the beginning of the watch itself. */
export type SyncMode = 'list' | 'stream';

/** How a collection is read, and how well that went; goes along from state to state. */
export interface Course {
  readonly mode: SyncMode;
  /** Failures in a row without progress between; pauses grow with it. */
  readonly failures: number;
  /** Objects asked for at once; halved whenever an answer was too large. */
  readonly pageSize: number;
  /** The next list asks for everything at once: pages took longer than the server keeps the revision they show. */
  readonly whole: boolean;
}

/** What may go wrong, by name. Each is counted, and each has a pause of its own (options.ts). */
export const SETBACKS = [
  /** History no longer covers the revision, or belongs to another history than the one that was read. */
  'gap',
  /** What came cannot be understood, so that an event may be missing. */
  'malformed',
  /** An answer or an event was larger than the transport takes. */
  'tooLarge',
  /** The connection broke, or none could be made. */
  'lost',
  /** A connection that stands said nothing for too long: its other half may be gone. */
  'silent',
  /** Credentials are not, or no longer, good. */
  'unauthorized',
  /** The credentials are good, and do not reach so far. */
  'forbidden',
  /** The server does not have the kind: it is not installed yet, or no more. */
  'notServed',
  /** The server has too much to do. */
  'throttled',
  /** Anything else: the server refused, or a part of this program failed. */
  'failed',
] as const;

/** One of them. */
export type Setback = (typeof SETBACKS)[number];

/** Where a reflector is. */
export type ReflectorState =
  | ({ readonly kind: 'syncing' } & Course)
  | ({ readonly kind: 'watching'; readonly resourceVersion: string } & Course)
  | ({
      readonly kind: 'waiting';
      readonly why: Setback | 'ended';
      /** The pause is no shorter than this, as the server asked. */
      readonly leastMs: number;
      /** Where to watch on from after the pause; undefined: read the whole collection again. */
      readonly resourceVersion: string | undefined;
    } & Course)
  | { readonly kind: 'stopped' };

/** What befalls a reflector. */
export type ReflectorInput =
  /** The whole collection was read by pages and put into the store at this revision. */
  | { readonly kind: 'synced'; readonly resourceVersion: string }
  /** The same, but as the beginning of a watch, which goes on. */
  | { readonly kind: 'streamed'; readonly resourceVersion: string }
  /** Events arrived; the last one's revision. */
  | { readonly kind: 'progress'; readonly resourceVersion: string }
  /** The server told how far it is, with nothing to show. */
  | { readonly kind: 'bookmark'; readonly resourceVersion: string }
  /** The server ended the watch in good order. */
  | { readonly kind: 'ended' }
  /** The server refused to stream the first state. */
  | { readonly kind: 'streamRefused' }
  | { readonly kind: Setback; readonly retryAfterMs?: number | undefined }
  /** The pause is over. */
  | { readonly kind: 'resumed' }
  /** The owner's signal was aborted. */
  | { readonly kind: 'stop' };

/** The name of a transition. */
export type Transition = ReflectorInput['kind'];

/** All of them, as counters and documents have them. */
export const TRANSITIONS: readonly Transition[] = [
  ...(['synced', 'streamed', 'progress', 'bookmark', 'ended', 'streamRefused'] as const),
  ...SETBACKS,
  ...(['resumed', 'stop'] as const),
];

type Live = Exclude<ReflectorState, { kind: 'stopped' }>;

/** The first state. */
export function initialState(mode: SyncMode, pageSize: number): Live {
  return { kind: 'syncing', mode, failures: 0, pageSize, whole: false };
}

/** The state after `input`. What to do is the state itself: sync, watch from, pause, or stop. */
export function step(state: ReflectorState, input: ReflectorInput): ReflectorState {
  if (state.kind === 'stopped' || input.kind === 'stop') return { kind: 'stopped' };
  switch (input.kind) {
    case 'synced':
      return watchFrom({ ...courseOf(state), whole: false }, input.resourceVersion);
    case 'streamed':
      return watchFrom({ ...courseOf(state), failures: 0 }, input.resourceVersion);
    case 'progress':
    case 'bookmark':
      return watchFrom(
        { ...courseOf(state), failures: 0 },
        input.resourceVersion || revisionOf(state) || '',
      );
    case 'ended':
      return afterEnd(state);
    case 'streamRefused':
      return { kind: 'syncing', ...courseOf(state), mode: 'list' };
    case 'resumed':
      return afterPause(state);
    default:
      return afterSetback(state, input.kind, input.retryAfterMs ?? 0);
  }
}

function afterSetback(state: Live, why: Setback, leastMs: number): ReflectorState {
  switch (why) {
    case 'gap':
      return pause({ ...state, whole: isListing(state) }, { why, leastMs });
    case 'tooLarge':
      return pause(withSmallerPages(state), { why, leastMs });
    case 'malformed':
    case 'notServed':
      return pause(state, { why, leastMs });
    case 'lost':
    case 'silent':
    case 'unauthorized':
    case 'forbidden':
    case 'throttled':
    case 'failed':
      return pause(state, { why, leastMs, resourceVersion: revisionOf(state) });
    default:
      return unreachable(why);
  }
}

const isListing = (state: Live): boolean => state.kind === 'syncing' && state.mode === 'list';

/** Of a list only: events come one at a time anyhow. A list of everything at once goes back to pages. */
function withSmallerPages(state: Live): Live {
  if (!isListing(state)) return state;
  const pageSize = state.whole ? state.pageSize : Math.max(1, Math.floor(state.pageSize / 2));
  return { ...state, pageSize, whole: false };
}

/** A watch that made progress is opened again at once; one that ends time and again without any, after a pause. */
function afterEnd(state: Live): ReflectorState {
  if (state.kind === 'watching' && state.failures === 0) return { ...state, failures: 1 };
  return pause(state, { why: 'ended', leastMs: 0, resourceVersion: revisionOf(state) });
}

function pause(
  state: Live,
  how: { why: Setback | 'ended'; leastMs: number; resourceVersion?: string | undefined },
): ReflectorState {
  const { why, leastMs, resourceVersion } = how;
  const course = { ...courseOf(state), failures: state.failures + 1 };
  return { kind: 'waiting', ...course, why, leastMs, resourceVersion };
}

function afterPause(state: Live): ReflectorState {
  if (state.kind !== 'waiting') return state;
  const { resourceVersion } = state;
  const course = courseOf(state);
  return resourceVersion === undefined
    ? { kind: 'syncing', ...course }
    : watchFrom(course, resourceVersion);
}

function watchFrom(course: Course, resourceVersion: string): ReflectorState {
  return { kind: 'watching', ...course, resourceVersion };
}

function courseOf({ mode, failures, pageSize, whole }: Live): Course {
  return { mode, failures, pageSize, whole };
}

function revisionOf(state: Live): string | undefined {
  return state.kind === 'syncing' ? undefined : state.resourceVersion;
}
