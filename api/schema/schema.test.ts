// The generated schemas as the rest relies on them: whole, closed under reference, with their merge
// rules.
import { describe, expect, it } from 'vitest';
import { loadSchemas, refName, resolve, schemaOf } from './schema.ts';
import type { Schema } from './schema.ts';

function refsIn(schema: Schema): string[] {
  const name = refName(schema);
  const parts = [
    ...Object.values(schema.properties ?? {}),
    ...(schema.items ? [schema.items] : []),
    ...(schema.additionalProperties ? [schema.additionalProperties] : []),
  ];
  return [...(name === undefined ? [] : [name]), ...parts.flatMap(refsIn)];
}

describe('loadSchemas', () => {
  it('has every kind, and no reference to nowhere', () => {
    const schemas = loadSchemas();
    expect(schemas.size).toBeGreaterThan(700);
    const refs = [...schemas.values()].flatMap(refsIn);
    expect(refs.filter((name) => !schemas.has(name))).toEqual([]);
  });

  it('knows what the client package does not say: quantities, merge keys, list types', () => {
    const limits = schemaOf('io.k8s.api.core.v1.ResourceRequirements').properties?.['limits'];
    expect(refName(limits?.additionalProperties ?? {})).toMatch(/Quantity$/);
    const podSpec = schemaOf('io.k8s.api.core.v1.PodSpec').properties ?? {};
    expect(podSpec['containers']).toMatchObject({
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      'x-kubernetes-patch-merge-key': 'name',
      'x-kubernetes-patch-strategy': 'merge',
    });
    expect(podSpec['tolerations']).toMatchObject({ 'x-kubernetes-list-type': 'atomic' });
    expect(podSpec['volumes']).toMatchObject({ 'x-kubernetes-patch-strategy': 'merge,retainKeys' });
  });

  it('keeps the reference beside an extension', () => {
    const strategy = schemaOf('io.k8s.api.apps.v1.DeploymentSpec').properties?.['strategy'] ?? {};
    expect(strategy['x-kubernetes-patch-strategy']).toBe('retainKeys');
    expect(resolve(strategy)).toBe(schemaOf('io.k8s.api.apps.v1.DeploymentStrategy'));
  });

  it('says group, version and kind of kinds', () => {
    expect(schemaOf('io.k8s.api.rbac.v1.ClusterRole')['x-kubernetes-group-version-kind']).toEqual([
      { group: 'rbac.authorization.k8s.io', version: 'v1', kind: 'ClusterRole' },
    ]);
  });

  it('treats a name that is not there as a fault of the program', () => {
    expect(() => schemaOf('io.k8s.api.core.v1.Nothing')).toThrow('there is no schema');
  });
});
