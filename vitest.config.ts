// The test runner's configuration: unit tests stand beside their sources, the other kinds under test/.
// Invariant: every test file is in one project; what a project holds can run beside itself and the others, except storms.
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './tools/test/longest-first.ts';
import { STORMS } from './tools/test/storms.ts';

/** Files whose servers are in the test's own process, and end with it or before. */
const SERVERS = [
  'test/integration/{admission,aggregation,api,client,contract,controllers,custom-resources}*.test.ts',
  'test/integration/{crds,framework,kept-forms,kinds,scheduler,webhook}*.test.ts',
  'test/regression/**/*.test.ts',
];
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
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // What is waited for decides, not the time: a second of grace is too short for a busy host.
    expect: { poll: { timeout: 30_000 } },
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        // They share nothing but modules: one process takes many of them, and imports what they test once. So do servers.
        test: {
          name: 'units',
          include: ['**/*.test.ts'],
          exclude: [...NEVER, ...WHOLES],
          isolate: false,
        },
      },
      {
        extends: true,
        test: { name: 'servers', include: SERVERS, isolate: false },
      },
      {
        extends: true,
        test: { name: 'parts', include: WHOLES, exclude: [...NEVER, ...STORMS, ...SERVERS] },
      },
      { extends: true, test: { name: 'storms', include: [...STORMS] } },
    ],
  },
});
