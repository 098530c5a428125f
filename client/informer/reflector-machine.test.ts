// Each transition of the reflector, and that no input but stop ends it.
import { fc } from '../../test/support/properties.ts';
import { describe, expect, it } from 'vitest';
import { initialState, SETBACKS, step, TRANSITIONS } from './reflector-machine.ts';
import type { Course, ReflectorInput, ReflectorState } from './reflector-machine.ts';

const course: Course = { mode: 'list', failures: 0, pageSize: 100, whole: false };
const syncing = { kind: 'syncing', ...course, failures: 2 } as const;
const streaming = { kind: 'syncing', ...course, mode: 'stream', failures: 1 } as const;
const fresh = { kind: 'watching', ...course, resourceVersion: '7' } as const;
const tried = { ...fresh, failures: 1 };

describe('the reflector machine', () => {
  it('begins by reading the whole collection', () => {
    expect(initialState('list', 100)).toEqual({ kind: 'syncing', ...course });
  });

  it('synced: watches from the revision that was read, and remembers failures until there is progress', () => {
    const watching = { ...fresh, resourceVersion: '5', failures: 2 };
    expect(step(syncing, { kind: 'synced', resourceVersion: '5' })).toEqual(watching);
    expect(step(tried, { kind: 'progress', resourceVersion: '9' })).toEqual({
      ...fresh,
      resourceVersion: '9',
    });
  });

  it('streamed: goes on watching where the first state ended', () => {
    const watching = { ...fresh, mode: 'stream', resourceVersion: '9' };
    expect(step(streaming, { kind: 'streamed', resourceVersion: '9' })).toEqual(watching);
  });

  it.each(['progress', 'bookmark'] as const)(
    '%s: is where the next watch begins, unless it names no revision',
    (kind) => {
      expect(step(tried, { kind, resourceVersion: '9' })).toEqual({
        ...fresh,
        resourceVersion: '9',
      });
      expect(step(tried, { kind, resourceVersion: '' })).toEqual(fresh);
    },
  );

  it('streamRefused: reads by pages for good', () => {
    expect(step(streaming, { kind: 'streamRefused' })).toEqual({ ...streaming, mode: 'list' });
  });

  it('ended: opens a watch again at once after progress, and pauses when there was none', () => {
    const again = step(fresh, { kind: 'ended' });
    expect(again).toEqual(tried);
    const waiting = { ...fresh, kind: 'waiting', why: 'ended', leastMs: 0, failures: 2 };
    expect(step(again, { kind: 'ended' })).toEqual(waiting);
  });

  it.each(['lost', 'silent', 'unauthorized', 'forbidden', 'throttled', 'failed'] as const)(
    '%s: watches on from the same revision after a pause',
    (kind) => {
      const waiting = step(fresh, { kind });
      const expected = { ...fresh, kind: 'waiting', why: kind, leastMs: 0, failures: 1 };
      expect(waiting).toEqual(expected);
      expect(step(waiting, { kind: 'resumed' })).toEqual(tried);
    },
  );

  it.each(['gap', 'malformed', 'tooLarge', 'notServed'] as const)(
    '%s: reads the whole collection again after a pause',
    (kind) => {
      const waiting = step(fresh, { kind });
      expect(waiting).toMatchObject({ kind: 'waiting', why: kind, resourceVersion: undefined });
      expect(step(waiting, { kind: 'resumed' })).toEqual({ ...syncing, failures: 1 });
    },
  );

  it('pauses for as long as the server asks', () => {
    const waiting = step(fresh, { kind: 'throttled', retryAfterMs: 3000 });
    expect(waiting).toMatchObject({ why: 'throttled', leastMs: 3000 });
  });

  it('asks for everything at once when pages take longer than history, and for pages again afterwards', () => {
    const again = step(step(syncing, { kind: 'gap' }), { kind: 'resumed' });
    expect(again).toEqual({ ...syncing, failures: 3, whole: true });
    expect(step(again, { kind: 'synced', resourceVersion: '5' })).toMatchObject({ whole: false });
    expect(step(again, { kind: 'tooLarge' })).toMatchObject({ whole: false, pageSize: 100 });
  });

  it('asks for half as much at once, down to one, when answers are too large', () => {
    let state: ReflectorState = syncing;
    const sizes: number[] = [];
    for (let round = 0; round < 8; round++) {
      state = step(step(state, { kind: 'tooLarge' }), { kind: 'resumed' });
      if (state.kind === 'syncing') sizes.push(state.pageSize);
    }
    expect(sizes).toEqual([50, 25, 12, 6, 3, 1, 1, 1]);
  });

  it('counts failures in a row, so that pauses grow, through reading and watching alike', () => {
    let state: ReflectorState = initialState('list', 100);
    for (let round = 1; round <= 10; round++) {
      state = step(state, { kind: 'synced', resourceVersion: '1' });
      state = step(state, { kind: 'malformed' });
      expect(state).toMatchObject({ kind: 'waiting', failures: round });
      state = step(state, { kind: 'resumed' });
    }
  });

  it('never ends but by stop, whatever comes in whatever order', () => {
    const revision = fc.integer({ min: 1, max: 99 }).map(String);
    const revised = fc.constantFrom('synced', 'streamed', 'progress', 'bookmark');
    const bare = fc.constantFrom('ended', 'streamRefused', 'resumed', ...SETBACKS);
    const input = fc.oneof(
      fc.record({ kind: revised, resourceVersion: revision }),
      fc.record({ kind: bare }),
    ) as fc.Arbitrary<ReflectorInput>;
    fc.assert(
      fc.property(fc.array(input), (inputs) => {
        const end = inputs.reduce<ReflectorState>(step, initialState('stream', 100));
        expect(end.kind).not.toBe('stopped');
        expect(step(end, { kind: 'stop' })).toEqual({ kind: 'stopped' });
      }),
    );
    expect(step({ kind: 'stopped' }, { kind: 'resumed' })).toEqual({ kind: 'stopped' });
  });

  it('names each transition once', () => {
    expect(new Set(TRANSITIONS).size).toBe(TRANSITIONS.length);
  });
});
