// What is made of other servers' discovery, in its two forms.
import { describe, expect, it } from 'vitest';
import { fromAggregated, fromResourceList } from './remote-discovery.ts';

const AT = { group: 'a.example.com', version: 'v1' };
const responseKind = { ...AT, kind: 'Thing' };
const list = (...resources: object[]) => ({
  kind: 'APIResourceList',
  groupVersion: 'a.example.com/v1',
  resources,
});

describe('the list of one group and version', () => {
  it('becomes resources with their parts', () => {
    const thing = {
      name: 'things',
      singularName: 'thing',
      namespaced: true,
      kind: 'Thing',
      verbs: ['get'],
      shortNames: ['th'],
      categories: ['all'],
    };
    const scale = {
      name: 'things/scale',
      namespaced: true,
      group: 'autoscaling',
      version: 'v1',
      kind: 'Scale',
      verbs: ['update'],
    };
    expect(fromResourceList(list(thing, scale), AT)).toEqual([
      {
        resource: 'things',
        responseKind,
        scope: 'Namespaced',
        singularResource: 'thing',
        verbs: ['get'],
        shortNames: ['th'],
        categories: ['all'],
        subresources: [
          {
            subresource: 'scale',
            responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
            verbs: ['update'],
          },
        ],
      },
    ]);
  });

  it('may have parts of what is not in it, as metrics are', () => {
    const metric = {
      name: 'pods/requests',
      namespaced: true,
      kind: 'MetricValueList',
      verbs: ['get'],
    };
    expect(fromResourceList(list(metric), AT)).toMatchObject([
      { resource: 'pods', verbs: [], subresources: [{ subresource: 'requests' }] },
    ]);
  });

  it.each([
    ['no object', []],
    ['another kind', { kind: 'Status' }],
    ['another group', { kind: 'APIResourceList', groupVersion: 'b/v1', resources: [] }],
    ['resources that are no list', { ...list(), resources: {} }],
    ['a resource without a name', list({ kind: 'Thing', verbs: [] })],
    ['verbs that are no texts', list({ name: 'a', kind: 'A', verbs: [1] })],
  ])('is refused as %s', (_what, answer) => {
    expect(() => fromResourceList(answer, AT)).toThrow(Error);
  });
});

describe('the aggregated document', () => {
  const resource = { resource: 'things', responseKind, scope: 'Cluster', verbs: ['get'] };
  const document = (resources: unknown) => ({
    kind: 'APIGroupDiscoveryList',
    items: [
      { metadata: { name: 'other' }, versions: [{ version: 'v1', resources: [] }] },
      { metadata: { name: AT.group }, versions: [{ version: 'v1', resources }] },
    ],
  });

  it('has the resources of the group and version', () => {
    const more = { 'x-more': 1 };
    expect(fromAggregated(document([{ ...resource, ...more }]), AT)).toEqual([
      { ...resource, singularResource: '' },
    ]);
  });

  it('may be another document, or lack the version', () => {
    expect(fromAggregated({ kind: 'APIGroupList', groups: [] }, AT)).toBeUndefined();
    expect(fromAggregated(document([]), { ...AT, version: 'v2' })).toBeUndefined();
  });

  it('is refused when it is broken', () => {
    for (const resources of ['x', [1], [{}], [{ ...resource, verbs: 'get' }]])
      expect(() => fromAggregated(document(resources), AT)).toThrow(Error);
  });
});
