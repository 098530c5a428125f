// The scheme, and what must hold for every built-in kind.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as kinds from './kinds.ts';
import { builtInDefinitions, Scheme } from './scheme.ts';

const scheme = new Scheme();

describe('the scheme', () => {
  it('finds definitions by resource and by kind', () => {
    expect(scheme.byResource('apps', 'v1', 'deployments')?.singular).toBe('deployment');
    expect(scheme.byKind('', 'v1', 'Pod')?.ref.plural).toBe('pods');
    expect(scheme.byResource('apps', 'v1', 'pods')).toBeUndefined();
    expect(scheme.byKind('apps', 'v2', 'Deployment')).toBeUndefined();
  });

  it('has every kind that has a KindRef, apart from figures kept in memory', () => {
    const refs = Object.values(kinds).filter(({ group }) => group !== 'metrics.k8s.io');
    const missing = refs.filter(
      (ref) => scheme.byKind(ref.group, ref.version, ref.kind)?.ref !== ref,
    );
    expect(missing).toEqual([]);
    expect(builtInDefinitions).toHaveLength(refs.length);
  });

  it('refuses two definitions of one resource', () => {
    const [first] = builtInDefinitions;
    expect(() => new Scheme(first ? [first, first] : [])).toThrow(
      'two definitions of /v1/namespaces',
    );
  });

  it('gives each short name once', () => {
    const names = builtInDefinitions.flatMap(({ shortNames }) => shortNames);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe.each(builtInDefinitions.map((definition) => [definition.ref.kind, definition] as const))(
  '%s',
  (kind, definition) => {
    const bare = () => ({
      apiVersion: definition.ref.group ? `${definition.ref.group}/${definition.ref.version}` : 'v1',
      kind,
      metadata: { name: 'x', ...(definition.ref.namespaced ? { namespace: 'default' } : {}) },
    });

    it('has a schema', () => {
      const text = readFileSync(new URL('./generated/schemas.json', import.meta.url), 'utf8');
      expect(text).toContain(`"${definition.schemaName}"`);
    });

    it('is named consistently', () => {
      expect(definition.listKind).toBe(`${kind}List`);
      expect(definition.singular).toBe(kind.toLowerCase());
    });

    it('bears an object that says nothing at all, through every hook', () => {
      const object = bare();
      definition.defaults?.(object);
      definition.prepareForCreate?.(object);
      definition.prepareForUpdate?.(object, bare());
      expect(Array.isArray(definition.validate?.(object, undefined) ?? [])).toBe(true);
      expect(Array.isArray(definition.validate?.(object, bare()) ?? [])).toBe(true);
      expect(Array.isArray(definition.validateStatus?.(object, bare()) ?? [])).toBe(true);
      const cells = definition.columns.map((column) => column.value(bare(), 0));
      expect(cells.every((cell) => cell !== undefined)).toBe(true);
      for (const read of Object.values(definition.selectableFields)) {
        expect(typeof read(bare())).toBe('string');
      }
      expect(definition.scale?.selector(bare()) ?? '').toBe('');
    });

    it('fills the same in when it is filled in again', () => {
      const object = bare();
      definition.defaults?.(object);
      const once = structuredClone(object);
      definition.defaults?.(object);
      expect(object).toEqual(once);
    });
  },
);
