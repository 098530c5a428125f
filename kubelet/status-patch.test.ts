// Tests of comparing and telling statuses: what is told replaces what was told before, and nothing else.
import { describe, expect, it } from 'vitest';
import { covers, statusPatch } from './status-patch.ts';

const ready = { type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' };
const pending = { type: 'PodResizePending', status: 'True' };
const other = { type: 'example.com/other', status: 'False' };

describe('what the API has', () => {
  it.each([
    ['the same', { phase: 'Running', conditions: [ready] }, true],
    ['more of others', { phase: 'Running', reason: 'x', conditions: [other, ready] }, true],
    ['another field', { phase: 'Pending', conditions: [ready] }, false],
    ['no such condition', { phase: 'Running', conditions: [other] }, false],
    ['no conditions', { phase: 'Running' }, false],
    ['another status', { phase: 'Running', conditions: [{ ...ready, status: 'False' }] }, false],
    ['a resize that is over', { phase: 'Running', conditions: [ready, pending] }, false],
    ['a reason too much', { phase: 'Running', conditions: [{ ...ready, reason: 'x' }] }, false],
  ])('%s: is it all of it?', (_, known: object, expected) => {
    const wanted: object = { phase: 'Running', conditions: [ready] };
    expect(covers(known, wanted)).toBe(expected);
  });

  it('leaves out lists with nothing in them', () => {
    expect(covers({}, { images: [] } as object)).toBe(true);
    expect(covers({ images: [{}] } as object, { images: [] } as object)).toBe(false);
  });

  it('may differ in what is ignored', () => {
    const later = { ...ready, lastTransitionTime: '2026-02-01T00:00:00Z' };
    expect(covers({ conditions: [later] }, { conditions: [ready] })).toBe(false);
    expect(covers({ conditions: [later] }, { conditions: [ready] }, ['lastTransitionTime'])).toBe(
      true,
    );
  });
});

describe('the patch', () => {
  it('clears what a condition says no more, and replaces lists of addresses', () => {
    const conditions = [{ ...ready, reason: 'Now' }];
    const status: object = { podIPs: [{ ip: '10.0.0.2' }], conditions };
    expect(statusPatch(status)).toEqual({
      podIPs: [{ $patch: 'replace' }, { ip: '10.0.0.2' }],
      conditions: [
        { ...ready, reason: 'Now', message: null, lastProbeTime: null, observedGeneration: null },
      ],
    });
  });

  it('takes back what is known of a resize that is over, and only that', () => {
    const known = { conditions: [ready, other, pending] };
    const conditions = (statusPatch({ conditions: [ready] }, known) as { conditions: object[] })
      .conditions;
    expect(conditions.slice(1)).toEqual([{ type: 'PodResizePending', $patch: 'delete' }]);
  });

  it('says nothing of lists that the status has not', () => {
    expect(statusPatch({ conditions: undefined })).toEqual({ conditions: undefined });
  });
});
