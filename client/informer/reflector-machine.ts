// The reflector as a state machine: how a copy of a collection is started, followed and mended.
// Invariant: pure, and every state but `stopped` has a way on, so a reflector never ends for good on its own.
import { unreachable } from '../../base/invariant.ts';

/** How the first state of the collection is read: by pages, or as the beginning of the watch itself. */
export type SyncMode = 'list' | 'stream';

/** Where a reflector is. `failures` counts failures in a row without progress between. */
export type ReflectorState =
  | { readonly kind: 'syncing'; readonly mode: SyncMode; readonly failures: number }
  | {
      readonly kind: 'watching';
      readonly mode: SyncMode;
      readonly resourceVersion: string;
      readonly failures: number;
    }
  | {
      readonly kind: 'waiting';
      readonly mode: SyncMode;
      /** Where to watch on from after the pause; undefined: read the whole collection again. */
      readonly resourceVersion: string | undefined;
      readonly failures: number;
    }
  | { readonly kind: 'stopped' };

/** What befalls a reflector. */
export type ReflectorInput =
  /** The whole collection was read and put into the store at this revision. */
  | { readonly kind: 'synced'; readonly resourceVersion: string }
  /** Events or a bookmark arrived; the last one's revision. */
  | { readonly kind: 'progress'; readonly resourceVersion: string }
  /** The server ended the watch in good order. */
  | { readonly kind: 'ended' }
  /** History no longer covers the revision, or belongs to another history than the one that was read. */
  | { readonly kind: 'gap' }
  /** What came cannot be understood, so that an event may be missing. */
  | { readonly kind: 'malformed' }
  /** The server refused to stream the first state. */
  | { readonly kind: 'streamRefused' }
  /** The connection broke, or the server refused for now. */
  | { readonly kind: 'failed' }
  /** The pause is over. */
  | { readonly kind: 'resumed' }
  /** The owner's signal was aborted. */
  | { readonly kind: 'stop' };

/** The first state. */
export function initialState(mode: SyncMode): ReflectorState {
  return { kind: 'syncing', mode, failures: 0 };
}

/** The state after `input`. What to do is the state itself: sync, watch from, pause, or stop. */
export function step(state: ReflectorState, input: ReflectorInput): ReflectorState {
  if (state.kind === 'stopped' || input.kind === 'stop') return { kind: 'stopped' };
  switch (input.kind) {
    case 'synced':
      return { ...watchFrom(state.mode, input.resourceVersion), failures: state.failures };
    case 'progress':
      return watchFrom(state.mode, input.resourceVersion);
    case 'ended':
      return afterEnd(state);
    case 'gap':
    case 'malformed':
      return pause(state, undefined);
    case 'streamRefused':
      return { kind: 'syncing', mode: 'list', failures: state.failures };
    case 'failed':
      return pause(state, revisionOf(state));
    case 'resumed':
      return afterPause(state);
    default:
      return unreachable(input);
  }
}

function watchFrom(mode: SyncMode, resourceVersion: string): ReflectorState & { kind: 'watching' } {
  return { kind: 'watching', mode, resourceVersion, failures: 0 };
}

/** A watch that made progress is opened again at once; one that ends time and again without any, after a pause. */
function afterEnd(state: Exclude<ReflectorState, { kind: 'stopped' }>): ReflectorState {
  if (state.kind === 'watching' && state.failures === 0) return { ...state, failures: 1 };
  return pause(state, revisionOf(state));
}

function pause(
  state: Exclude<ReflectorState, { kind: 'stopped' }>,
  resourceVersion: string | undefined,
): ReflectorState {
  return { kind: 'waiting', mode: state.mode, resourceVersion, failures: state.failures + 1 };
}

function afterPause(state: Exclude<ReflectorState, { kind: 'stopped' }>): ReflectorState {
  if (state.kind !== 'waiting') return state;
  const { mode, resourceVersion, failures } = state;
  return resourceVersion === undefined
    ? { kind: 'syncing', mode, failures }
    : { kind: 'watching', mode, resourceVersion, failures };
}

function revisionOf(state: Exclude<ReflectorState, { kind: 'stopped' }>): string | undefined {
  return state.kind === 'syncing' ? undefined : state.resourceVersion;
}
