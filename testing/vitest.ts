// `pinnace/testing/vitest`: importing it gives vitest's `expect` the matchers toEventually, toEventuallyBeGone and toEventuallyList.
// In a test file, or once for all in a set-up file. Invariant: it is the only file of this room that knows the runner.
import { expect } from 'vitest';
import { type EventuallyMatchers, eventuallyMatchers } from './eventually/matchers.ts';

declare global {
  // By way of chai's types, which vitest's `expect` is made of and which are global: a project may have another copy of vitest than
  // this package, and then an addition to the module `vitest` would not be to its own.
  namespace Chai {
    interface Assertion extends EventuallyMatchers<Promise<void>> {}
  }
}

expect.extend(eventuallyMatchers);
