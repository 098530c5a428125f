// Events that differ in nothing but their messages: told one by one at first, then counted on one event that has the latest.
// Invariant: MAX_SIMILAR_EVENTS messages are remembered for each group, and MAX_GROUPS groups, the one longest unused going first.
import { RecentMap } from '../../base/recent-map.ts';

/** Different messages about one object with one reason that are told by themselves: upstream's figure. */
export const MAX_SIMILAR_EVENTS = 10;
/** So long after the last of a group the next is told by itself again: upstream's figure. */
export const SIMILAR_WINDOW_MS = 10 * 60_000;
/** Groups remembered. */
export const MAX_GROUPS = 4096;
/** Stands before the latest message of those that are combined, as upstream has it. */
export const COMBINED = '(combined from similar events): ';

interface Group {
  lastMs: number;
  readonly messages: Set<string>;
}

/** Says which messages are too many to be told by themselves. */
export class SimilarEvents {
  readonly #groups = new RecentMap<string, Group>(MAX_GROUPS);

  /** Is the message to be combined with others of its group? `nowMs` never goes backwards. */
  combines(id: string, message: string, nowMs: number): boolean {
    let group = this.#groups.get(id);
    if (!group || nowMs - group.lastMs >= SIMILAR_WINDOW_MS) {
      group = { lastMs: nowMs, messages: new Set() };
      this.#groups.set(id, group);
    }
    group.lastMs = nowMs;
    if (group.messages.has(message)) return false;
    if (group.messages.size >= MAX_SIMILAR_EVENTS) return true;
    group.messages.add(message);
    return false;
  }
}
