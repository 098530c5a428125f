// Strategic merge patch on real schemas: merge keys, all directives, order, and the laws that hold
// for any patch.
import { fc } from '../../test/support/properties.ts';
import { describe, expect, it } from 'vitest';
import { schemaOf } from '../../api/schema/schema.ts';
import { applyStrategicMergePatch } from './strategic-merge-patch.ts';

const pod = schemaOf('io.k8s.api.core.v1.Pod');
const deployment = schemaOf('io.k8s.api.apps.v1.Deployment');
const service = schemaOf('io.k8s.api.core.v1.Service');

/** Patches the spec of a pod. */
function patchSpec(current: Record<string, unknown>, patch: Record<string, unknown>): unknown {
  return applyStrategicMergePatch({ spec: current }, { spec: patch }, pod)['spec'];
}

const named = (...names: string[]) => names.map((name) => ({ name }));

describe('lists with a merge key', () => {
  it('change the item with the key, add new ones, and leave the others', () => {
    const current = {
      containers: [{ name: 'a', image: 'a:1', env: [{ name: 'X', value: '1' }] }, { name: 'b' }],
    };
    const patch = { containers: [{ name: 'a', env: [{ name: 'Y', value: '2' }] }, { name: 'c' }] };
    expect(patchSpec(current, patch)).toEqual({
      containers: [
        {
          name: 'a',
          image: 'a:1',
          env: [
            { name: 'X', value: '1' },
            { name: 'Y', value: '2' },
          ],
        },
        { name: 'b' },
        { name: 'c' },
      ],
    });
  });

  it('lose an item by $patch: delete, also when it is not there', () => {
    const patch = {
      containers: [
        { name: 'a', $patch: 'delete' },
        { name: 'x', $patch: 'delete' },
      ],
    };
    expect(patchSpec({ containers: named('a', 'b') }, patch)).toEqual({ containers: named('b') });
  });

  it('are replaced by $patch: replace', () => {
    const patch = { containers: [...named('n'), { $patch: 'replace' }] };
    expect(patchSpec({ containers: named('a', 'b') }, patch)).toEqual({ containers: named('n') });
    expect(patchSpec({ containers: named('a') }, { containers: [{ $patch: 'replace' }] })).toEqual({
      containers: [],
    });
  });

  it('merge by numbers too, as ports of a service do', () => {
    const current = {
      spec: {
        ports: [
          { port: 80, name: 'a' },
          { port: 81, name: 'b' },
        ],
      },
    };
    const patch = { spec: { ports: [{ port: 81, name: 'c' }] } };
    expect(applyStrategicMergePatch(current, patch, service)).toEqual({
      spec: {
        ports: [
          { port: 80, name: 'a' },
          { port: 81, name: 'c' },
        ],
      },
    });
  });

  it('refuse items without the key', () => {
    expect(() => patchSpec({ containers: named('a') }, { containers: [{ image: 'x' }] })).toThrow(
      'does not contain declared merge key: name',
    );
  });
});

describe('other lists', () => {
  it('are replaced when they are atomic', () => {
    const current = { tolerations: [{ key: 'a' }], containers: [{ name: 'c', args: ['1', '2'] }] };
    const patch = { tolerations: [{ key: 'b' }], containers: [{ name: 'c', args: ['3'] }] };
    expect(patchSpec(current, patch)).toEqual(patch);
  });

  it('of plain values merge by the schema, and lose what $deleteFromPrimitiveList names', () => {
    const current = { metadata: { finalizers: ['a', 'b', 'c'] } };
    const patch = {
      metadata: { finalizers: ['d', 'a'], '$deleteFromPrimitiveList/finalizers': ['b', 'x'] },
    };
    expect(applyStrategicMergePatch(current, patch, pod)).toEqual({
      metadata: { finalizers: ['a', 'c', 'd'] },
    });
  });

  it('lose values when the patch holds nothing but $deleteFromPrimitiveList', () => {
    const current = { metadata: { finalizers: ['a', 'b'] } };
    const patch = { metadata: { '$deleteFromPrimitiveList/finalizers': ['a'] } };
    expect(applyStrategicMergePatch(current, patch, pod)).toEqual({
      metadata: { finalizers: ['b'] },
    });
  });
});

describe('maps', () => {
  it('merge, lose keys by null, and drop nulls of what is new', () => {
    const current = { metadata: { labels: { a: '1', b: '2' } } };
    const patch = { metadata: { labels: { a: null, c: '3' }, annotations: { x: null, y: 'z' } } };
    expect(applyStrategicMergePatch(current, patch, pod)).toEqual({
      metadata: { labels: { b: '2', c: '3' }, annotations: { y: 'z' } },
    });
  });

  it('are replaced and emptied by $patch', () => {
    const current = { spec: { template: { spec: { nodeSelector: { a: '1' }, hostname: 'h' } } } };
    const replace = { spec: { template: { spec: { $patch: 'replace', hostname: 'i' } } } };
    expect(applyStrategicMergePatch(current, replace, deployment)).toEqual({
      spec: { template: { spec: { hostname: 'i' } } },
    });
    const remove = { spec: { template: { spec: { nodeSelector: { $patch: 'delete' } } } } };
    expect(applyStrategicMergePatch(current, remove, deployment)).toEqual({
      spec: { template: { spec: { nodeSelector: {}, hostname: 'h' } } },
    });
  });

  it('keep only what $retainKeys names', () => {
    const current = {
      spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } },
    };
    const patch = { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } };
    expect(applyStrategicMergePatch(current, patch, deployment)).toEqual({
      spec: { strategy: { type: 'Recreate' } },
    });
    const volumes = [{ name: 'v', emptyDir: {} }];
    const change = [{ name: 'v', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/x' } }];
    expect(patchSpec({ volumes }, { volumes: change })).toEqual({
      volumes: [{ name: 'v', hostPath: { path: '/x' } }],
    });
  });

  it('refuse $retainKeys that leaves out a field of the patch, and unknown directives', () => {
    const bad = { spec: { strategy: { $retainKeys: [], type: 'Recreate' } } };
    expect(() => applyStrategicMergePatch({ spec: { strategy: {} } }, bad, deployment)).toThrow(
      'invalid patch format of retainKeys',
    );
    expect(() => applyStrategicMergePatch({}, { $patch: 'frob' }, pod)).toThrow(
      'unknown patch type',
    );
  });
});

describe('$setElementOrder', () => {
  it('orders what it names, and what it does not name stays before what it stood before', () => {
    const patch = {
      '$setElementOrder/containers': named('c', 'new', 'a'),
      containers: [{ name: 'new' }],
    };
    expect(patchSpec({ containers: named('a', 'server', 'c') }, patch)).toEqual({
      containers: named('server', 'c', 'new', 'a'),
    });
    expect(
      patchSpec(
        { containers: named('s1', 'a', 's2', 'b') },
        { '$setElementOrder/containers': named('a', 'b') },
      ),
    ).toEqual({ containers: named('s1', 'a', 's2', 'b') });
  });

  it('orders plain values', () => {
    const current = { metadata: { finalizers: ['a', 'b'] } };
    const patch = {
      metadata: { '$setElementOrder/finalizers': ['b', 'c', 'a'], finalizers: ['c'] },
    };
    expect(applyStrategicMergePatch(current, patch, pod)).toEqual({
      metadata: { finalizers: ['b', 'c', 'a'] },
    });
  });

  it('refuses a patch whose items contradict it', () => {
    const patch = { '$setElementOrder/containers': named('b', 'a'), containers: named('a', 'b') };
    expect(() => patchSpec({ containers: named('a') }, patch)).toThrow('$setElementOrder list');
  });
});

describe('any patch', () => {
  const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'));
  const containers = names.map((list) =>
    list.map((name, index) => ({ name, image: `${name}:${index}`, args: [name] })),
  );

  it('leaves its input alone, and leaves no directive behind', () => {
    fc.assert(
      fc.property(containers, containers, names, (current, patched, gone) => {
        const deleted = gone.map((name) => ({ name, $patch: 'delete' }));
        const input = { spec: { containers: current } };
        const patch = { spec: { containers: [...patched, ...deleted] } };
        const before = JSON.stringify([input, patch]);
        const output = JSON.stringify(applyStrategicMergePatch(input, patch, pod));
        expect(JSON.stringify([input, patch])).toBe(before);
        expect(output).not.toContain('"$');
      }),
    );
  });

  it('with $setElementOrder of all its items gives exactly that order', () => {
    fc.assert(
      fc.property(containers, containers, (current, wanted) => {
        const keep = new Set(wanted.map(({ name }) => name));
        const gone = current.filter(({ name }) => !keep.has(name));
        const patch = {
          '$setElementOrder/containers': wanted.map(({ name }) => ({ name })),
          containers: [...wanted, ...gone.map(({ name }) => ({ name, $patch: 'delete' }))],
        };
        const result = patchSpec({ containers: current }, patch) as { containers: unknown[] };
        expect(result.containers).toEqual(wanted);
      }),
    );
  });
});
