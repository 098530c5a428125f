// The test runner's configuration: unit tests stand beside their sources, the other kinds under test/.
// Invariant: every test file is in one project; what a project holds can run beside itself and the others, except storms.
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './tools/test/longest-first.ts';

const LONG = process.env['PINNACE_LONG'] === '1';
/** What takes the whole host, or measures what it does under load: nothing runs beside it. Nor beside kills that go on for many minutes. */
const STORMS = ['demo', 'hostile', ...(LONG ? ['chaos', 'kills-at-random'] : [])].map(
  (name) => `test/e2e/${name}.test.ts`,
);
/** Files with processes, servers or containers of their own. */
const WHOLES = [
  'test/{contracts,integration,e2e,clients,regression}/**/*.test.ts',
  'kubelet/runtime/{oci,cri}/**/*.test.ts',
];
const NEVER = ['node_modules/**', 'dist/**'];

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        // They share nothing but modules: one process takes them all, and imports what they test once.
        test: {
          name: 'units',
          include: ['**/*.test.ts'],
          exclude: [...NEVER, ...WHOLES],
          isolate: false,
        },
      },
      {
        extends: true,
        test: { name: 'parts', include: WHOLES, exclude: [...NEVER, ...STORMS] },
      },
      { extends: true, test: { name: 'storms', include: STORMS } },
    ],
  },
});
