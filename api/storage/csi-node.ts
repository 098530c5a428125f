// CSINodes: the volume drivers that a node has. Stored and shown; the node agent writes none yet.
import { ALL_VERBS, defineResource } from '../definition.ts';
import type { FieldError } from '../field-error.ts';
import { duplicate, invalidValue, required } from '../field-error.ts';
import type { CSINode, CSINodeDriver, CSINodeSpec } from '../generated/types.ts';
import { CSINodes } from '../kinds.ts';
import { ageColumn, count, nameColumn } from '../meta/columns.ts';
import { sameMeaning } from '../meta/deep-equal.ts';
import { mustObey } from '../meta/field-rules.ts';
import { qualifiedName } from '../meta/names.ts';
import { notNegative } from '../meta/numbers.ts';
import { repeats } from '../meta/repeats.ts';
import { validateDriver } from './storage-rules.ts';

const MAX_NODE_ID = 256;

/** What CSINodes are. */
export const csiNodeDefinition = defineResource<CSINode>({
  ref: CSINodes,
  singular: 'csinode',
  listKind: 'CSINodeList',
  shortNames: [],
  categories: [],
  schemaName: 'io.k8s.api.storage.v1.CSINode',
  verbs: ALL_VERBS,
  hasStatus: false,
  hasGeneration: false,
  putNeedsVersion: true,
  returnsDeleted: true,
  subresources: [],
  columns: [
    nameColumn,
    count('Drivers', 'How many drivers it has.', (n) => driversOf(n).length),
    ageColumn,
  ],
  selectableFields: {},
  validate: (node, old) => {
    const drivers = driversOf(node);
    const repeated = repeats(drivers.map(({ name }) => name));
    return [
      ...drivers.flatMap((driver, i) => {
        const path = `spec.drivers[${i}]`;
        return [
          ...validateNodeDriver(driver, path),
          ...(repeated.has(i) ? [duplicate(`${path}.name`, driver.name)] : []),
        ];
      }),
      ...(old === undefined ? [] : validateKept(drivers, driversOf(old))),
    ];
  },
});

function driversOf({ spec }: CSINode): readonly CSINodeDriver[] {
  return (spec as Partial<CSINodeSpec> | undefined)?.drivers ?? [];
}

function validateNodeDriver(driver: Partial<CSINodeDriver>, path: string): FieldError[] {
  const { name, nodeID = '', topologyKeys = [], allocatable } = driver;
  const errors = validateDriver(name, `${path}.name`);
  if (nodeID === '') errors.push(required(`${path}.nodeID`));
  if (nodeID.length > MAX_NODE_ID) {
    const why = `must be ${MAX_NODE_ID} characters or less`;
    errors.push(invalidValue(`${path}.nodeID`, nodeID, why));
  }
  const twice = repeats(topologyKeys);
  topologyKeys.forEach((key, i) => {
    const at = `${path}.topologyKeys`;
    if (twice.has(i)) errors.push(duplicate(at, key));
    errors.push(...mustObey(qualifiedName, key, at));
  });
  return [...errors, ...notNegative(allocatable?.count, `${path}.allocatable.count`)];
}

/** A driver may come and go, and have other room; all else of it stays. The path is upstream's. */
function validateKept(
  now: readonly CSINodeDriver[],
  before: readonly CSINodeDriver[],
): FieldError[] {
  return now.flatMap((driver) => {
    const old = before.find(({ name }) => name === driver.name);
    const rest = ({ allocatable: _room, ...others }: CSINodeDriver) => others;
    return old === undefined || sameMeaning(rest(driver), rest(old))
      ? []
      : [invalidValue('CSINodeDriver', driver, 'field is immutable')];
  });
}
