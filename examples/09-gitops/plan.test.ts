// What the operator decides for syncs, case by case, without a cluster and without git.
import { describe, expect, it } from 'vitest';
import { ConfigMaps, type KubeObject, Namespaces } from 'pinnace/client';
import { type Entry, type GitSync, GitSyncs, MAX_FAILURES, MAX_OBJECTS } from './kind.ts';
import { inOrderOfGoing, objectsIn, SYNC_LABEL } from './manifests.ts';
import {
  ADOPT_ANNOTATION,
  checkUnique,
  claimed,
  identityOf,
  leaving,
  ownership,
  placed,
  statusAfter,
} from './plan.ts';

function aSync(spec: Partial<GitSync['spec']> = {}, status?: GitSync['status']): GitSync {
  const metadata = { name: 'shop', namespace: 'default' };
  const made = GitSyncs.object({ metadata, spec: { repository: '/srv/shop.git', ...spec } });
  return {
    ...made,
    metadata: { ...made.metadata, uid: 'uid-of-shop', generation: 3 },
    ...(status && { status }),
  };
}
const config = (name: string, metadata: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
});
const wanted = (sync: GitSync, ...names: readonly string[]) =>
  names.map((name) => placed(sync, ConfigMaps, config(name)));
const entry = (name: string, kind = 'ConfigMap'): Entry => ({
  apiVersion: 'v1',
  kind,
  namespace: 'default',
  name,
});
const file = (text: string, path = 'all.yaml') => [{ path, text }];

describe('the kind', () => {
  it.each([
    [{ repository: 'relative' }, 'repository'],
    [{ ref: '--upload-pack=x' }, 'ref'],
    [{ folder: 'a/../../etc' }, 'within the repository'],
    [{ intervalSeconds: 0 }, 'intervalSeconds'],
  ])('refuses %j', (wrong, what) => {
    const spec = { repository: '/srv/shop.git', ...wrong };
    const found = GitSyncs.validate({ metadata: { name: 'a', namespace: 'b' }, spec });
    expect(JSON.stringify(found)).toContain(what);
  });
});

describe('manifests', () => {
  it('come from files of several documents, namespaces and definitions first, in their order otherwise', () => {
    const text = `
apiVersion: v1
kind: ConfigMap
metadata: { name: b }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: a }
---
apiVersion: v1
kind: List
items:
- { apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: { name: c } }
- { apiVersion: v1, kind: Namespace, metadata: { name: d } }
`;
    const names = objectsIn(file(text)).map(({ metadata }) => metadata.name);
    expect(names).toEqual(['d', 'c', 'b', 'a']);
    const entries = ['b', 'a'].map((name) => entry(name)).concat(entry('d', 'Namespace'));
    expect(inOrderOfGoing(entries).map(({ name }) => name)).toEqual(['a', 'b', 'd']);
  });

  it.each([
    ['a: [', 'all.yaml: line 1'],
    ['kind: ConfigMap', 'apiVersion'],
    ['{ apiVersion: v1, kind: Pod, metadata: { generateName: a- } }', 'metadata.name'],
    ['{ apiVersion: v1, kind: Pod, metadata: { name: a, uid: b } }', 'leave it out'],
  ])('are refused as a whole for %s', (text, why) => {
    expect(() => objectsIn([...file('{}', 'b.json').slice(1), ...file(text)])).toThrow(why);
  });

  it('are refused beyond their limit', () => {
    const one = '---\n{ apiVersion: v1, kind: ConfigMap, metadata: { name: a } }\n';
    expect(objectsIn(file(one.repeat(MAX_OBJECTS)))).toHaveLength(MAX_OBJECTS);
    expect(() => objectsIn(file(one.repeat(MAX_OBJECTS + 1)))).toThrow('use several syncs');
  });
});

describe('placed', () => {
  const sync = aSync();

  it('puts objects into the namespace of the sync that name none, and marks them', () => {
    const { object } = placed(sync, ConfigMaps, config('a', { labels: { x: 'y' } }));
    expect(object.metadata).toMatchObject({
      namespace: 'default',
      labels: { x: 'y', [SYNC_LABEL]: 'uid-of-shop' },
    });
    expect(placed(sync, ConfigMaps, config('a', { namespace: 'b' })).entry.namespace).toBe('b');
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a' } };
    expect(placed(sync, Namespaces, namespace).entry).not.toHaveProperty('namespace');
  });

  it('is refused for two manifests of one object', () => {
    const twice = [
      ...wanted(sync, 'a', 'b'),
      placed(sync, ConfigMaps, config('a', { namespace: 'default' })),
    ];
    expect(() => checkUnique(twice)).toThrow('ConfigMap default/a is there twice');
  });
});

describe('what is claimed, and what leaves', () => {
  const sync = aSync();

  it('claims all that is about to be, and forgets nothing that was', () => {
    const names = claimed([entry('old'), entry('a')], wanted(sync, 'a', 'b')).map(
      ({ name }) => name,
    );
    expect(names).toEqual(['a', 'b', 'old']);
  });

  it('lets go what left the repository, and neither namespaces nor definitions', () => {
    const inventory = [entry('old'), entry('a'), entry('older'), entry('n', 'Namespace')];
    expect(leaving(sync, inventory, wanted(sync, 'a')).map(({ name }) => name)).toEqual([
      'older',
      'old',
    ]);
    expect(leaving(aSync({ prune: false }), inventory, [])).toEqual([]);
  });

  it('takes an object in a newer version for the same one', () => {
    const at = { kind: 'Job', namespace: 'a', name: 'b' };
    expect(identityOf({ apiVersion: 'batch/v1beta1', ...at })).toBe(
      identityOf({ apiVersion: 'batch/v1', ...at }),
    );
  });
});

describe('ownership', () => {
  const sync = aSync();
  const marked = (uid: string) => config('a', { labels: { [SYNC_LABEL]: uid } });

  it('is by the mark of this very sync, or by a person’s word', () => {
    const given = config('a', { annotations: { [ADOPT_ANNOTATION]: 'default/shop' } });
    expect(ownership(sync, undefined)).toBe('free');
    expect([marked('uid-of-shop'), given].map((live) => ownership(sync, live))).toEqual([
      'mine',
      'mine',
    ]);
    for (const live of [config('a'), marked('another')])
      expect(ownership(sync, live)).toMatchObject({ taken: expect.stringContaining('annotate') });
  });
});

describe('statusAfter', () => {
  const after = (failed: number) => {
    const sync = aSync({}, { revision: 'old', inventory: [entry('gone')], observedGeneration: 2 });
    const failures = new Map(Array.from({ length: failed }, (_, at) => [`ConfigMap ${at}`, 'no']));
    const outcome = { revision: 'new', wanted: wanted(sync, 'a'), remaining: [], corrected: 0 };
    return statusAfter(sync, { ...outcome, failures }, '2026-01-01T00:00:00Z');
  };

  it('names a revision only once all of it is in place', () => {
    expect(after(0)).toMatchObject({ revision: 'new', observedGeneration: 3, failures: [] });
    expect(after(0).inventory).toEqual([entry('a')]);
    expect(after(1)).toMatchObject({ revision: 'old', observedGeneration: 2 });
    expect(after(1).inventory).toEqual([entry('a'), entry('gone')]);
  });

  it('tells so many failures, and the number of all', () => {
    const { failures, conditions } = after(MAX_FAILURES + 5);
    expect(failures).toHaveLength(MAX_FAILURES);
    expect(conditions?.[0]?.message).toContain(`${MAX_FAILURES + 5} of 1 objects`);
  });
});
