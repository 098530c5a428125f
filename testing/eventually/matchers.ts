// The waits as matchers of a test runner: `await expect(client).toEventually(Pods, { name: 'web' }, { status: { phase: 'Running' } })`.
// Knows no runner: testing/vitest.ts registers them.
// Invariant: a matcher that fails shows what the wait tells, and nothing else.
import type { KindRef } from '../../api/kind-ref.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import {
  eventually,
  eventuallyGone,
  eventuallyList,
  type Wanted,
  type WantedOfList,
  type Where,
  type WhichOf,
} from './eventually.ts';
import { EventuallyError } from './failure.ts';
import type { ClockedClient, WaitOptions } from './wait.ts';

/** What a matcher came to, as runners take it. */
export interface MatcherResult {
  readonly pass: boolean;
  message(): string;
}

/** What matchers ask of the runner's `this`. */
export interface MatcherContext {
  readonly isNot?: boolean | undefined;
}

/** The signatures of the matchers, for runners' types; each waits on the client that `expect` was given. */
export interface EventuallyMatchers<R> {
  /** The object comes to be as wanted; see `eventually`. */
  toEventually<T extends KubeObject>(
    ref: KindRef<T>,
    where: Where,
    wanted: Wanted<T>,
    options?: WaitOptions,
  ): R;
  /** There comes to be no such object; see `eventuallyGone`. */
  toEventuallyBeGone(ref: KindRef, where: Where, options?: WaitOptions): R;
  /** The list comes to be as wanted; see `eventuallyList`. */
  toEventuallyList<T extends KubeObject>(
    ref: KindRef<T>,
    which: WhichOf,
    wanted: WantedOfList<T>,
    options?: WaitOptions,
  ): R;
}

type Matcher<A extends unknown[]> = (
  this: MatcherContext,
  client: unknown,
  ...args: A
) => Promise<MatcherResult>;

function matcher<A extends unknown[]>(
  wait: (client: ClockedClient, ...args: A) => Promise<unknown>,
): Matcher<A> {
  return async function (client, ...args) {
    if (this.isNot)
      throw new Error(
        'a wait for something not to be so has no end; wait for what is to be instead: toEventuallyBeGone, or a function that answers true then',
      );
    if (!isClient(client))
      throw new Error('expect() has to be given a client, such as that of a test cluster');
    try {
      await wait(client, ...args);
      return { pass: true, message: () => 'it came to be so' };
    } catch (error) {
      if (!(error instanceof EventuallyError)) throw error;
      return { pass: false, message: () => error.message };
    }
  };
}

const isClient = (value: unknown): value is ClockedClient =>
  typeof (value as Partial<ClockedClient> | undefined)?.resource === 'function';

/** The matchers, by name. */
export const eventuallyMatchers = {
  toEventually: matcher((client, ...args: [KindRef, Where, Wanted<KubeObject>, WaitOptions?]) =>
    eventually(client, ...args),
  ),
  toEventuallyBeGone: matcher((client, ...args: [KindRef, Where, WaitOptions?]) =>
    eventuallyGone(client, ...args),
  ),
  toEventuallyList: matcher(
    (client, ...args: [KindRef, WhichOf, WantedOfList<KubeObject>, WaitOptions?]) =>
      eventuallyList(client, ...args),
  ),
};
