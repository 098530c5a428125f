// Each transition of the reflector, and that no input but stop ends it.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { initialState, step } from './reflector-machine.ts';
import type { ReflectorInput, ReflectorState } from './reflector-machine.ts';

const syncing: ReflectorState = { kind: 'syncing', mode: 'list', failures: 2 };
const fresh: ReflectorState = {
  kind: 'watching',
  mode: 'list',
  resourceVersion: '7',
  failures: 0,
};
const tried: ReflectorState = { ...fresh, failures: 1 };

describe('the reflector machine', () => {
  it('begins by reading the whole collection', () => {
    expect(initialState('list')).toEqual({ kind: 'syncing', mode: 'list', failures: 0 });
  });

  it('watches from the revision that was read, and remembers failures until there is progress', () => {
    expect(step(syncing, { kind: 'synced', resourceVersion: '5' })).toEqual({
      kind: 'watching',
      mode: 'list',
      resourceVersion: '5',
      failures: 2,
    });
    expect(step(tried, { kind: 'progress', resourceVersion: '9' })).toEqual({
      ...fresh,
      resourceVersion: '9',
    });
  });

  it('takes a streamed list as read once progress is made', () => {
    const streaming: ReflectorState = { kind: 'syncing', mode: 'stream', failures: 1 };
    expect(step(streaming, { kind: 'progress', resourceVersion: '9' })).toEqual({
      kind: 'watching',
      mode: 'stream',
      resourceVersion: '9',
      failures: 0,
    });
  });

  it('reads by pages for good where streaming is refused', () => {
    const streaming: ReflectorState = { kind: 'syncing', mode: 'stream', failures: 0 };
    expect(step(streaming, { kind: 'streamRefused' })).toEqual(initialState('list'));
  });

  it('opens a watch again at once when it ended after progress, and pauses when it ended without', () => {
    const again = step(fresh, { kind: 'ended' });
    expect(again).toEqual(tried);
    expect(step(again, { kind: 'ended' })).toEqual({
      kind: 'waiting',
      mode: 'list',
      resourceVersion: '7',
      failures: 2,
    });
  });

  it('watches on from the same revision after a lost connection', () => {
    const waiting = step(fresh, { kind: 'failed' });
    expect(waiting).toEqual({ kind: 'waiting', mode: 'list', resourceVersion: '7', failures: 1 });
    expect(step(waiting, { kind: 'resumed' })).toEqual(tried);
  });

  it.each([{ kind: 'gap' as const }, { kind: 'malformed' as const }])(
    'reads the whole collection again after $kind',
    (input) => {
      const waiting = step(fresh, input);
      expect(waiting).toMatchObject({ kind: 'waiting', resourceVersion: undefined, failures: 1 });
      expect(step(waiting, { kind: 'resumed' })).toEqual({
        kind: 'syncing',
        mode: 'list',
        failures: 1,
      });
    },
  );

  it('counts failures in a row, so that pauses grow, through reading and watching alike', () => {
    let state: ReflectorState = initialState('list');
    for (let round = 1; round <= 10; round++) {
      state = step(state, { kind: 'synced', resourceVersion: '1' });
      state = step(state, { kind: 'malformed' });
      expect(state).toMatchObject({ kind: 'waiting', failures: round });
      state = step(state, { kind: 'resumed' });
    }
  });

  it('never ends but by stop, whatever comes in whatever order', () => {
    const revision = fc.integer({ min: 1, max: 99 }).map(String);
    const input: fc.Arbitrary<ReflectorInput> = fc.oneof(
      fc.record({ kind: fc.constant('synced' as const), resourceVersion: revision }),
      fc.record({ kind: fc.constant('progress' as const), resourceVersion: revision }),
      ...(['ended', 'gap', 'malformed', 'streamRefused', 'failed', 'resumed'] as const).map(
        (kind) => fc.constant({ kind }),
      ),
    );
    fc.assert(
      fc.property(fc.array(input), (inputs) => {
        const end = inputs.reduce<ReflectorState>(step, initialState('stream'));
        expect(end.kind).not.toBe('stopped');
        expect(step(end, { kind: 'stop' })).toEqual({ kind: 'stopped' });
      }),
    );
    expect(step({ kind: 'stopped' }, { kind: 'resumed' })).toEqual({ kind: 'stopped' });
  });
});
