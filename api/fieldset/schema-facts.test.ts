// The facts that the schemas lack, against the schemas.
import { describe, expect, it } from 'vitest';
import { refName, resolve, schemaOf } from '../schema/schema.ts';
import { emptyValue } from './empty-value.ts';
import { mergeTypeOf } from './merge-type.ts';
import { EMBEDDED, KEY_DEFAULTS } from './schema-facts.ts';

describe('Facts about schemas', () => {
  it('name optional structs that exist', () => {
    for (const [name, fields] of Object.entries(EMBEDDED))
      for (const field of fields) {
        const { properties = {}, required = [] } = schemaOf(name);
        const property = properties[field] ?? {};
        expect([name, field, refName(property) !== undefined]).toEqual([name, field, true]);
        expect(resolve(property).properties).toBeDefined();
        expect(required).not.toContain(field);
      }
  });

  it('name keys that exist', () => {
    for (const [name, keys] of Object.entries(KEY_DEFAULTS))
      expect(Object.keys(schemaOf(name).properties ?? {})).toEqual(
        expect.arrayContaining(Object.keys(keys)),
      );
  });

  it('give the empty objects that clients know', () => {
    const empty = (name: string) => emptyValue(mergeTypeOf(name));
    expect(empty('io.k8s.api.core.v1.Pod')).toEqual({
      metadata: {},
      spec: { containers: [] },
      status: {},
    });
    expect(empty('io.k8s.api.apps.v1.Deployment').spec).toEqual({
      selector: {},
      strategy: {},
      template: { metadata: {}, spec: { containers: [] } },
    });
    expect(empty('io.k8s.api.core.v1.Service')).toEqual({
      metadata: {},
      spec: {},
      status: { loadBalancer: {} },
    });
    expect(empty('io.k8s.api.core.v1.ConfigMap')).toEqual({ metadata: {} });
  });
});
