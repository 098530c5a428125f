// What the package exports, for who reads it: the entries of the reference.
// Invariant: every TypeScript entry of package.json's exports is here; a test holds them together.
import type { EntryOptions } from './read-exports.ts';

/** The compiler's view of them. */
export const REFERENCE_CONFIG = 'tools/reference/tsconfig.json';

/** All of them. */
export const REFERENCE_ENTRIES: readonly EntryOptions[] = [
  { name: 'pinnace/client', file: 'client/index.ts' },
  { name: 'pinnace/controllers', file: 'controllers/framework/index.ts' },
  { name: 'pinnace/testing', file: 'testing/index.ts' },
  {
    name: 'pinnace/testing/vitest',
    file: 'testing/vitest.ts',
    also: { file: 'testing/eventually/matchers.ts', names: ['EventuallyMatchers'] },
  },
];
