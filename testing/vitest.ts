// `pinnace/testing/vitest`: importing it gives vitest's `expect` the matchers toEventually, toEventuallyBeGone and toEventuallyList.
// In a test file, or once for all in a set-up file. Invariant: it is the only file of this room that knows the runner.
import { expect } from 'vitest';
import { type EventuallyMatchers, eventuallyMatchers } from './eventually/matchers.ts';

declare module 'vitest' {
  // The parameters are as vitest declares them.
  // oxlint-disable-next-line no-unused-vars
  interface Matchers<R extends void | Promise<void> = void | Promise<void>, T = unknown>
    extends EventuallyMatchers<Promise<void>> {}
}

expect.extend(eventuallyMatchers);
