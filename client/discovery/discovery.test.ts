// What people call kinds, and what a server with a broken group still gives.
import { describe, expect, it } from 'vitest';
import type { KindRef } from '../../api/kind-ref.ts';
import type { DiscoveredResource, Discovery } from './discovery.ts';
import { resourceNamed, resourceOfKind, resourcesInCategory } from './discovery.ts';

function aResource(
  [group, version, kind, plural]: [string, string, string, string],
  more: Partial<DiscoveredResource> = {},
): DiscoveredResource {
  const ref: KindRef = { group, version, kind, plural, namespaced: true };
  return {
    ref,
    singular: kind.toLowerCase(),
    shortNames: [],
    categories: [],
    verbs: ['get', 'list'],
    preferred: true,
    subresources: [],
    ...more,
  };
}

const discovery: Discovery = {
  resources: [
    aResource(['metrics.k8s.io', 'v1beta1', 'PodMetrics', 'pods'], { singular: 'pod' }),
    aResource(['', 'v1', 'Pod', 'pods'], { shortNames: ['po'], categories: ['all'] }),
    aResource(['apps', 'v1', 'Deployment', 'deployments'], {
      shortNames: ['deploy'],
      categories: ['all'],
    }),
    aResource(['autoscaling', 'v1', 'HorizontalPodAutoscaler', 'hpas'], { preferred: false }),
    aResource(['autoscaling', 'v2', 'HorizontalPodAutoscaler', 'hpas'], { categories: ['all'] }),
  ],
  failures: [],
};

const found = (name: string) => {
  const ref = resourceNamed(discovery, name)?.ref;
  return ref && `${ref.group}/${ref.version}/${ref.kind}`;
};

describe('names of kinds', () => {
  it.each([
    ['pods', '/v1/Pod'],
    ['po', '/v1/Pod'],
    ['Pod', '/v1/Pod'],
    ['pods.metrics.k8s.io', 'metrics.k8s.io/v1beta1/PodMetrics'],
    ['pods.v1', '/v1/Pod'],
    ['deploy', 'apps/v1/Deployment'],
    ['deployment.apps', 'apps/v1/Deployment'],
    ['deployments.v1.apps', 'apps/v1/Deployment'],
    ['hpas', 'autoscaling/v2/HorizontalPodAutoscaler'],
    ['hpas.v1.autoscaling', 'autoscaling/v1/HorizontalPodAutoscaler'],
    ['nothing', undefined],
    ['deploy.other.group', undefined],
  ])('%s is %s', (name, expected) => {
    expect(found(name)).toBe(expected);
  });

  it('are found by apiVersion and kind as manifests have them', () => {
    expect(resourceOfKind(discovery, 'apps/v1', 'Deployment')?.ref.plural).toBe('deployments');
    expect(resourceOfKind(discovery, 'apps/v2', 'Deployment')).toBeUndefined();
  });

  it('are gathered in categories, each in its preferred version', () => {
    const kinds = resourcesInCategory(discovery, 'all').map(({ ref }) => ref.kind);
    expect(kinds).toEqual(['Pod', 'Deployment', 'HorizontalPodAutoscaler']);
  });
});
