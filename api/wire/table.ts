// meta.k8s.io/v1 Table: what `kubectl get` asks for, one row per object.
// Invariant: objects are read, never changed; a column that throws spoils no other cell.
import type { Column, ResourceDefinition } from '../definition.ts';
import type { KubeObject, ListMeta, ObjectMeta } from '../meta/object.ts';
import type { Status } from '../status.ts';
import { ageOf } from './human-duration.ts';

/** How much of each object its row carries; the `includeObject` parameter. */
export type IncludeObject = 'Metadata' | 'None' | 'Object';

/** A column as a Table describes it. */
export interface TableColumn {
  name: string;
  type: string;
  format: string;
  description: string;
  priority: number;
}

/** One object as cells, with as much of it as was asked for. */
export interface TableRow {
  cells: (string | number | bigint | boolean | null)[];
  object: KubeObject | null;
}

/**
 * A Table on the wire. It is no list and no object: its metadata is that of the list it stands for.
 */
export interface Table {
  kind: 'Table';
  apiVersion: 'meta.k8s.io/v1';
  metadata: ListMeta;
  columnDefinitions: TableColumn[];
  rows: TableRow[];
}

/** What a Table needs besides its objects. */
export interface TableOptions {
  /** Default `Metadata`. */
  readonly includeObject?: IncludeObject | undefined;
  /** For ages. */
  readonly nowMs: number;
  /** Metadata of the list; for a single object, its resourceVersion. */
  readonly listMeta?: ListMeta | undefined;
  /** False leaves the columns out, as all but the first event of a watch do. Default true. */
  readonly columns?: boolean | undefined;
}

/** What kinds without columns of their own show. */
const DEFAULT_COLUMNS: readonly Column<KubeObject>[] = [
  {
    name: 'Name',
    type: 'string',
    format: 'name',
    description: 'The name of the object, unique within its namespace and kind.',
    value: (object) => object.metadata.name ?? '',
  },
  {
    name: 'Age',
    type: 'string',
    description: 'How long ago the object was created.',
    value: (object, nowMs) => ageOf(object.metadata.creationTimestamp, nowMs),
  },
];

/** The Table of these objects. */
export function toTable<T extends KubeObject>(
  definition: Pick<ResourceDefinition<T>, 'columns'>,
  objects: readonly T[],
  options: TableOptions,
): Table {
  const columns = definition.columns.length > 0 ? definition.columns : DEFAULT_COLUMNS;
  const { includeObject = 'Metadata', nowMs, listMeta = {} } = options;
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: listMeta,
    columnDefinitions: options.columns === false ? [] : columns.map(describeColumn),
    rows: objects.map((object) => ({
      cells: columns.map((column) => cellOf(column, object, nowMs)),
      object: partOf(object, includeObject),
    })),
  };
}

/** A Status as a Table, for clients that asked for Tables. */
export function tableForStatus(status: Status): Table {
  const column = (name: string, description: string): TableColumn => ({
    name,
    type: 'string',
    format: '',
    description,
    priority: 0,
  });
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: {},
    columnDefinitions: [
      column('Status', 'Whether the operation succeeded.'),
      column('Reason', 'Why it is in this state, for machines.'),
      column('Message', 'Why it is in this state, for people.'),
    ],
    rows: [{ cells: [status.status, status.reason ?? '', status.message ?? ''], object: null }],
  };
}

/**
 * The metadata alone, as PartialObjectMetadata: for Tables and for clients that ask for nothing
 * else.
 */
export function partialMetadata(object: { metadata: ObjectMeta }): KubeObject {
  return {
    kind: 'PartialObjectMetadata',
    apiVersion: 'meta.k8s.io/v1',
    metadata: object.metadata,
  };
}

function describeColumn<T>(column: Column<T>): TableColumn {
  const { name, type, format = '', description, priority = 0 } = column;
  return { name, type, format, description, priority };
}

/** A stored object of an odd form (written before a rule was made) still gets its row. */
function cellOf<T>(column: Column<T>, object: T, nowMs: number): TableRow['cells'][number] {
  try {
    return column.value(object, nowMs);
  } catch {
    return '<invalid>';
  }
}

function partOf(object: KubeObject, includeObject: IncludeObject): KubeObject | null {
  if (includeObject === 'None') return null;
  return includeObject === 'Object' ? object : partialMetadata(object);
}
