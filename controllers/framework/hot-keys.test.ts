// Keys that keep themselves busy are told apart from those that others keep busy.
import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../api/meta/object.ts';
import { HOT_TURNS, HOT_WINDOW_MS, HotKeys, MAX_REMEMBERED_KEYS } from './hot-keys.ts';

const state = (revision: number, checked: number): KubeObject & { status: object } => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'a', resourceVersion: String(revision) },
  status: { conditions: [{ type: 'Ready', checked }], same: 1 },
});

/** Turns of one key, `everyMs` apart; answers what was told of it. */
function turns(
  count: number,
  each: (i: number) => { object?: KubeObject; againInMs?: number },
  everyMs = 1,
) {
  const hot = new HotKeys();
  return Array.from({ length: count }, (_, i) =>
    hot.turn({ key: 'a', nowMs: i * everyMs, ...each(i) }),
  ).filter((found) => found !== undefined);
}

describe('HotKeys', () => {
  it('names the fields that change each time', () => {
    expect(turns(HOT_TURNS + 50, (i) => ({ object: state(i, i) }))).toEqual([
      { turns: HOT_TURNS, withinMs: HOT_TURNS - 1, fields: ['status.conditions[0].checked'] },
    ]);
  });

  it('tells of a key that asks to come again at once', () => {
    const same = state(1, 1);
    expect(turns(HOT_TURNS, () => ({ object: same, againInMs: 0 }))).toMatchObject([
      { fields: [] },
    ]);
  });

  it('says nothing of a key that others wake, nor of one that has time between its turns', () => {
    const same = state(1, 1);
    expect(turns(3 * HOT_TURNS, () => ({ object: same }))).toEqual([]);
    const apart = HOT_WINDOW_MS / HOT_TURNS + 1;
    expect(turns(3 * HOT_TURNS, (i) => ({ object: state(i, i) }), apart)).toEqual([]);
  });

  it('forgets the key longest unseen, and so counts it anew', () => {
    const hot = new HotKeys();
    const turn = (key: string) => hot.turn({ key, nowMs: 0, againInMs: 0 });
    for (let i = 1; i < HOT_TURNS; i++) turn('a');
    for (let i = 0; i < MAX_REMEMBERED_KEYS; i++) turn(`other-${i}`);
    expect(turn('a')).toBeUndefined();
  });
});
