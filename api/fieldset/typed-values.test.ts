// Objects as field sets by schema: what is owned part by part, how changes compare, how configurations merge and leave.
import { fc } from '../../test/support/properties.ts';
import { describe, expect, it } from 'vitest';
import { deepEqual } from '../meta/deep-equal.ts';
import { misfitMessage, misfitsOf } from './check-config.ts';
import { compare } from './compare.ts';
import { emptyValue } from './empty-value.ts';
import { difference, type FieldSet, isEmptySet, pathsOf, setOf, union } from './field-set.ts';
import { merge, withoutFields } from './merge.ts';
import { mergeTypeOf } from './merge-type.ts';
import { describePath } from './path-element.ts';
import { toFieldSet, withNamedFields } from './to-field-set.ts';

const POD = mergeTypeOf('io.k8s.api.core.v1.Pod');
const SERVICE = mergeTypeOf('io.k8s.api.core.v1.Service');
const DEPLOYMENT = mergeTypeOf('io.k8s.api.apps.v1.Deployment');
const MAP = mergeTypeOf('io.k8s.api.core.v1.ConfigMap');

const described = (set: FieldSet) => [...pathsOf(set)].map(describePath);

describe('The set of a configuration', () => {
  it('goes into maps and keyed lists, fills in keys that are left out, and takes atomic parts whole', () => {
    const config = {
      metadata: { labels: { app: 'web' }, finalizers: ['a/b'] },
      spec: {
        containers: [{ name: 'c', args: ['x'], ports: [{ containerPort: 80 }] }],
        nodeSelector: { disk: 'ssd' },
        imagePullSecrets: [{}],
      },
    };
    expect(described(toFieldSet(POD, config))).toEqual([
      '.metadata.finalizers[="a/b"]',
      '.metadata.labels.app',
      '.spec.nodeSelector',
      '.spec.containers[name="c"]',
      '.spec.containers[name="c"].args',
      '.spec.containers[name="c"].name',
      '.spec.containers[name="c"].ports[containerPort=80,protocol="TCP"]',
      '.spec.containers[name="c"].ports[containerPort=80,protocol="TCP"].containerPort',
      '.spec.imagePullSecrets[name=""]',
    ]);
  });

  it('holds what is empty or null as a whole, but no empty keyed list', () => {
    const config = {
      metadata: { labels: {} },
      spec: { replicas: null, template: { spec: { volumes: [] } } },
    };
    expect(described(toFieldSet(DEPLOYMENT, config))).toEqual([
      '.metadata.labels',
      '.spec.replicas',
    ]);
  });

  it('gains the structs on the way where named fields count too', () => {
    const set = setOf([
      ['f:spec', 'f:strategy', 'f:type'],
      ['f:metadata', 'f:labels', 'f:a'],
    ]);
    expect(described(withNamedFields(DEPLOYMENT, set)).sort()).toEqual([
      '.metadata',
      '.metadata.labels',
      '.metadata.labels.a',
      '.spec',
      '.spec.strategy',
      '.spec.strategy.type',
    ]);
  });
});

describe('Comparing', () => {
  it('gives a writer of a new object all but what even an empty one has', () => {
    const web = {
      metadata: { labels: { app: 'web' } },
      spec: {
        selector: { matchLabels: { a: 'b' } },
        strategy: { rollingUpdate: { maxSurge: 1 } },
        template: { spec: { containers: [] } },
      },
    };
    const { changed } = compare(DEPLOYMENT, emptyValue(DEPLOYMENT), web);
    expect(JSON.stringify(changed)).toBe(
      JSON.stringify({
        'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
        'f:spec': {
          'f:selector': {},
          'f:strategy': { 'f:rollingUpdate': { '.': {}, 'f:maxSurge': {} } },
        },
      }),
    );
  });

  it('tells what changed from what is gone, and knows entries by any name', () => {
    const before = { data: { constructor: 'x', b: '1', c: '1' } };
    const { changed, removed } = compare(MAP, before, { data: { b: '2', c: '1', d: '1' } });
    expect([described(changed), described(removed)]).toEqual([
      ['.data.b', '.data.d'],
      ['.data.constructor'],
    ]);
  });

  it('sees duplicates of a key as one item', () => {
    const env = (...values: string[]) => ({
      spec: { containers: [{ name: 'c', env: values.map((value) => ({ name: 'A', value })) }] },
    });
    const at = '.spec.containers[name="c"].env[name="A"]';
    const sets = (a: object, b: object) => {
      const { changed, removed } = compare(POD, a, b);
      return [described(changed), described(removed)];
    };
    expect(sets(env('1'), env('1', '2'))).toEqual([[at], [at, `${at}.name`, `${at}.value`]]);
    expect(sets(env('1', '2'), env('1', '3'))).toEqual([[at], []]);
    expect(sets(env('1', '2'), env('2', '1'))).toEqual([[at], []]);
  });

  const objects = fc.record(
    {
      metadata: fc.record(
        { labels: fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('1', '2')) },
        { requiredKeys: [] },
      ),
      spec: fc.record(
        {
          type: fc.constantFrom('ClusterIP', 'NodePort'),
          selector: fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom('1', '2')),
          ports: fc.uniqueArray(
            fc.record({ port: fc.integer({ min: 1, max: 4 }), name: fc.constantFrom('x', 'y') }),
            { selector: ({ port }) => port },
          ),
          clusterIPs: fc.array(fc.constantFrom('1', '2')),
        },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: [] },
  );

  it('finds nothing between equals, and the other way round what is new is gone', () => {
    fc.assert(
      fc.property(objects, objects, (a, b) => {
        expect(isEmptySet(compare(SERVICE, a, structuredClone(a)).changed)).toBe(true);
        const [there, back] = [compare(SERVICE, a, b), compare(SERVICE, b, a)];
        const both = difference(there.changed, back.removed);
        expect(described(difference(both, back.changed))).toEqual([]);
      }),
    );
  });

  it('merges so that the configuration is in the outcome, and nothing of the rest is lost', () => {
    fc.assert(
      fc.property(objects, objects, (live, config) => {
        const merged = merge(SERVICE, live, config);
        const again = merge(SERVICE, merged, config);
        expect(deepEqual(again, merged)).toBe(true);
        const [has, wanted] = [toFieldSet(SERVICE, merged), toFieldSet(SERVICE, config)];
        const owned = difference(wanted, union(has, withNamedFields(SERVICE, has)));
        expect(described(owned)).toEqual([]);
        const lost = compare(SERVICE, live, merged).removed;
        expect(described(difference(lost, wanted))).toEqual([]);
      }),
    );
  });

  it('takes out what a set names, and nothing else', () => {
    fc.assert(
      fc.property(objects, objects, (value, other) => {
        const set = toFieldSet(SERVICE, other);
        const left = withoutFields(SERVICE, value, { gone: set }) ?? {};
        const named = difference(toFieldSet(SERVICE, left), set);
        expect(described(difference(named, toFieldSet(SERVICE, value)))).toEqual([]);
        const gone = compare(SERVICE, value, left).changed;
        expect(described(gone)).toEqual([]);
      }),
    );
  });
});

describe('Merging lists', () => {
  const ports = (...list: number[]) => ({ spec: { ports: list.map((port) => ({ port })) } });
  const order = (live: number[], config: number[]) =>
    (merge(SERVICE, ports(...live), ports(...config)) as ReturnType<typeof ports>).spec.ports.map(
      ({ port }) => port,
    );

  it.each([
    [
      [1, 2, 3],
      [3, 1],
      [2, 3, 1],
    ],
    [[1, 2, 3], [2], [1, 2, 3]],
    [[1, 2], [3], [1, 2, 3]],
    [
      [1, 2],
      [3, 1],
      [3, 1, 2],
    ],
    [
      [1, 2, 3],
      [2, 4],
      [1, 2, 3, 4],
    ],
    [[], [2, 1], [2, 1]],
    [
      [4, 1, 5, 2, 6],
      [2, 3, 1],
      [4, 5, 2, 6, 3, 1],
    ],
  ])('puts %j under %j as %j', (live, config, merged) => {
    expect(order(live, config)).toEqual(merged);
  });

  it('keeps every item once, those of the configuration in its order', () => {
    const list = fc.uniqueArray(fc.integer({ min: 0, max: 9 }));
    fc.assert(
      fc.property(list, list, (live, config) => {
        const merged = order(live, config);
        expect(new Set(merged)).toEqual(new Set([...live, ...config]));
        expect(merged).toHaveLength(new Set(merged).size);
        expect(merged.filter((port) => config.includes(port))).toEqual(config);
        const liveOnly = live.filter((port) => !config.includes(port));
        expect(merged.filter((port) => !config.includes(port))).toEqual(liveOnly);
      }),
    );
  });
});

describe('Configurations that do not fit', () => {
  it.each([
    [SERVICE, { spec: { foo: 1 } }, '.spec.foo: field not declared in schema'],
    [
      SERVICE,
      { spec: { ports: [{ port: 'x' }] } },
      '.spec.ports[port="x",protocol="TCP"].port: expected numeric (int or float), got string',
    ],
    [SERVICE, { spec: { ports: {} } }, '.spec.ports: expected list, got &{{}}'],
    [
      SERVICE,
      { spec: { ports: [{ port: 80 }, { port: 80, protocol: 'TCP' }] } },
      '.spec.ports: duplicate entries for key [port=80,protocol="TCP"]',
    ],
    [MAP, { data: { a: 1 } }, '.data.a: expected string, got &value.valueUnstructured{Value:1}'],
    [MAP, { data: 'x' }, '.data: expected map, got &{x}'],
    [MAP, { immutable: 'x' }, '.immutable: expected boolean, got &{x}'],
    [
      POD,
      { spec: { containers: [{ image: 'i' }] } },
      '.spec.containers: element 0: associative list with keys has an element that omits all key fields ["name"] (and doesn\'t have default values for any key fields)',
    ],
    [
      POD,
      { spec: { containers: [null] } },
      '.spec.containers: element 0: associative list with keys may not have a null element',
    ],
    [
      POD,
      { metadata: { finalizers: ['a', 'a'] } },
      '.metadata.finalizers: duplicate entries for key [="a"]',
    ],
    [
      DEPLOYMENT,
      { spec: { selector: { matchLabel: {} } } },
      '.spec.selector.matchLabel: field not declared in schema',
    ],
  ])('%# are refused in the words that clients know', (type, config, message) => {
    expect(misfitMessage(misfitsOf(type, config))).toBe(message);
  });

  it('are told all at once', () => {
    expect(misfitMessage(misfitsOf(MAP, { a: 1, b: 2 }))).toBe(
      'errors:\n  .a: field not declared in schema\n  .b: field not declared in schema',
    );
  });
});
