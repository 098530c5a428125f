// In which order test files run: those that take longest first, so that no worker is left alone with one at the end.
// Invariant: the order is only that; every file runs wherever it stands, listed or not.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The longest ones, longest first, by the seconds that a whole run on two cores told. */
const LONGEST = [
  'test/e2e/lives-containerd.test.ts',
  'test/e2e/lives-embedded.test.ts',
  'test/e2e/guide-first-operator.test.ts',
  'test/e2e/start.test.ts',
  'test/clients/helm-pods.test.ts',
  'test/e2e/chaos.test.ts',
  'test/clients/client-node-kinds.test.ts',
  'test/clients/kubectl-change.test.ts',
  'test/e2e/recovery.test.ts',
  'test/e2e/kills-at-random.test.ts',
  'test/clients/kubectl-node.test.ts',
  'test/e2e/containerd.test.ts',
  'test/integration/new-operator.test.ts',
  'test/e2e/volumes.test.ts',
  'test/integration/informer-torture.test.ts',
  'test/integration/operators-canary.test.ts',
  'test/clients/other-kinds.test.ts',
  'test/integration/operators-replicated-cache.test.ts',
];

/** Orders files; takes what the runner's own order makes of those that are not listed. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { root } = this.ctx.config;
    const gone = LONGEST.find((path) => !existsSync(join(root, path)));
    if (gone !== undefined) throw new Error(`tools/test/longest-first.ts names ${gone}: no file`);
    const places = new Map(LONGEST.map((path, place) => [join(root, path), place]));
    const placeOf = ({ moduleId }: TestSpecification) => places.get(moduleId) ?? LONGEST.length;
    return (await super.sort(files)).sort((a, b) => placeOf(a) - placeOf(b));
  }
}
