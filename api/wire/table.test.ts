// Tables: a row per object, columns as the kind defines them, as much of the object as was asked
// for.
import { describe, expect, it } from 'vitest';
import type { Column } from '../definition.ts';
import type { KubeObject } from '../meta/object.ts';
import { badRequest } from '../status.ts';
import { tableForStatus, toTable } from './table.ts';

const object = (name: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, creationTimestamp: '2026-01-01T00:00:00Z' },
});
const nowMs = Date.UTC(2026, 0, 1, 0, 3, 25);

describe('toTable', () => {
  it('shows name and age of a kind without columns', () => {
    const table = toTable({ columns: [] }, [object('a'), object('b')], {
      nowMs,
      listMeta: { resourceVersion: '7' },
    });
    expect(table.metadata).toEqual({ resourceVersion: '7' });
    expect(table.columnDefinitions.map(({ name }) => name)).toEqual(['Name', 'Age']);
    expect(table.rows).toEqual(
      ['a', 'b'].map((name) => ({
        cells: [name, '3m25s'],
        object: {
          kind: 'PartialObjectMetadata',
          apiVersion: 'meta.k8s.io/v1',
          metadata: object(name).metadata,
        },
      })),
    );
  });

  it('carries whole objects or none, as asked', () => {
    const rows = (includeObject: 'None' | 'Object') =>
      toTable({ columns: [] }, [object('a')], { nowMs, includeObject }).rows;
    expect(rows('Object')[0]?.object).toEqual(object('a'));
    expect(rows('None')[0]?.object).toBeNull();
  });

  it('describes columns in full, unless told to leave them out', () => {
    const columns: Column<KubeObject>[] = [
      { name: 'Node', type: 'string', description: 'Where.', priority: 1, value: () => 'n1' },
    ];
    expect(toTable({ columns }, [], { nowMs }).columnDefinitions).toEqual([
      { name: 'Node', type: 'string', format: '', description: 'Where.', priority: 1 },
    ]);
    const bare = toTable({ columns }, [object('a')], { nowMs, columns: false });
    expect(bare.columnDefinitions).toEqual([]);
    expect(bare.rows[0]?.cells).toEqual(['n1']);
  });

  it('keeps the row when a column cannot read the object', () => {
    const broken: Column<KubeObject> = {
      name: 'Ready',
      type: 'string',
      description: '',
      value: () => {
        throw new TypeError('no status');
      },
    };
    expect(toTable({ columns: [broken] }, [object('a')], { nowMs }).rows[0]?.cells).toEqual([
      '<invalid>',
    ]);
  });
});

describe('tableForStatus', () => {
  it('shows status, reason and message', () => {
    expect(tableForStatus(badRequest('no').toStatus()).rows[0]?.cells).toEqual([
      'Failure',
      'BadRequest',
      'no',
    ]);
  });
});
