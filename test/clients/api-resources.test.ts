// What kubectl lists as served is what the level has upstream, but for what is named as lacking.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { upstreamResources } from '../../tools/api-level/upstream.ts';

/** Served by metrics-server upstream, and by the API server here. */
const OURS = /^(nodes|pods) +metrics\.k8s\.io\//;

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster({ node: false });
});
afterAll(() => cluster?.stop());

it('kubectl api-resources -o wide lists every resource of the level that is not named as lacking', async () => {
  const text = await cluster.kubectl.ok(['api-resources', '-o', 'wide', '--no-headers']);
  const listed = text
    .split('\n')
    .filter((line) => line !== '' && !OURS.test(line))
    .map((line) => line.trim().replaceAll(/ +/g, ' '));
  const expected = upstreamResources
    .filter(({ lacking }) => lacking === undefined)
    .map(({ name, shortNames, group, version, namespaced, kind, verbs, categories }) =>
      [
        name,
        shortNames.join(','),
        group === '' ? version : `${group}/${version}`,
        String(namespaced),
        kind,
        verbs.join(','),
        categories.join(','),
      ]
        .filter((cell) => cell !== '')
        .join(' '),
    );
  expect(listed.toSorted()).toEqual(expected.toSorted());
});
