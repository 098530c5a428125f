// Finds keys that keep themselves busy: a reconcile whose own write wakes it, or that asks to come again at once, for ever.
// Invariant: a turn costs a look-up; a key is told of once in HOT_WINDOW_MS, and MAX_REMEMBERED_KEYS are remembered at most.
import { RecentMap } from '../../base/recent-map.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { changedFields } from './changed-fields.ts';

/** So many turns of one key within the window are suspicious. */
export const HOT_TURNS = 200;
/** The window that turns are counted in. */
export const HOT_WINDOW_MS = 10_000;
/** A key that asks to come again sooner than this gives nobody else a chance to change anything. */
export const HOT_REQUEUE_MS = 50;
/** Keys remembered; the one whose turn is longest ago is forgotten. */
export const MAX_REMEMBERED_KEYS = 1024;
/** The share of turns that must have one cause to be told as such. */
const CAUSE_SHARE = 0.9;

/** A key that keeps itself busy, and how. */
export interface HotKey {
  readonly turns: number;
  readonly withinMs: number;
  /** Fields of its own object that changed between the last two turns; none where it asked to come again. */
  readonly fields: readonly string[];
}

/** One turn of a key. */
export interface Turn {
  readonly key: string;
  readonly nowMs: number;
  /** Its own object as the reconcile saw it, where that is known. */
  readonly object?: KubeObject | undefined;
  /** After how long it asked to come again, where it did. */
  readonly againInMs?: number | undefined;
}

interface Seen {
  readonly since: number;
  turns: number;
  /** Turns whose object was another state than the turn before had. */
  changed: number;
  requeued: number;
  object: KubeObject | undefined;
}

/** Counts turns by key. */
export class HotKeys {
  readonly #seen = new RecentMap<string, Seen>(MAX_REMEMBERED_KEYS);

  /** Notes a turn; answers the key's story where it has just become suspicious. */
  turn({ key, nowMs, object, againInMs = Infinity }: Turn): HotKey | undefined {
    const seen = this.#seen.get(key);
    if (!seen || nowMs - seen.since > HOT_WINDOW_MS) {
      this.#seen.set(key, { since: nowMs, turns: 1, changed: 0, requeued: 0, object });
      return undefined;
    }
    const before = seen.object;
    seen.turns++;
    if (object?.metadata.resourceVersion !== before?.metadata.resourceVersion) seen.changed++;
    if (againInMs < HOT_REQUEUE_MS) seen.requeued++;
    seen.object = object;
    if (seen.turns !== HOT_TURNS) return undefined;
    const told = { turns: seen.turns, withinMs: nowMs - seen.since };
    const most = CAUSE_SHARE * seen.turns;
    if (seen.requeued >= most) return { ...told, fields: [] };
    return seen.changed >= most ? { ...told, fields: changedFields(before, object) } : undefined;
  }
}
