// ConfigMaps: texts and bytes under keys, for pods to read. One marked immutable never changes again.
import { ALL_VERBS, defineResource } from '../definition.ts';
import type { FieldError } from '../field-error.ts';
import { forbiddenField, invalidValue } from '../field-error.ts';
import type { ConfigMap } from '../generated/types.ts';
import { ConfigMaps } from '../kinds.ts';
import { ageColumn, nameColumn, text } from '../meta/columns.ts';
import { sameMeaning } from '../meta/deep-equal.ts';
import { IMMUTABLE_DATA, validateKeys, validateSize } from './data-validation.ts';

/** What ConfigMaps are. */
export const configMapDefinition = defineResource<ConfigMap>({
  ref: ConfigMaps,
  singular: 'configmap',
  listKind: 'ConfigMapList',
  shortNames: ['cm'],
  categories: [],
  schemaName: 'io.k8s.api.core.v1.ConfigMap',
  verbs: ALL_VERBS,
  hasStatus: false,
  hasGeneration: false,
  subresources: [],
  columns: [
    nameColumn,
    text('Data', 'How many keys it has.', ({ data = {}, binaryData = {} }) =>
      String(Object.keys(data).length + Object.keys(binaryData).length),
    ),
    ageColumn,
  ],
  selectableFields: {},
  validate: (map, old) => [...validateContent(map), ...(old ? validateUnchanged(map, old) : [])],
});

function validateContent({ data = {}, binaryData = {} }: ConfigMap): FieldError[] {
  const twice = Object.keys(data).filter((key) => Object.hasOwn(binaryData, key));
  return [
    ...validateKeys(data, 'data'),
    ...twice.map((key) =>
      invalidValue(`data[${key}]`, key, 'duplicate of key present in binaryData'),
    ),
    ...validateKeys(binaryData, 'binaryData'),
    ...validateSize({ texts: data, base64: binaryData }, ''),
  ];
}

function validateUnchanged(map: ConfigMap, old: ConfigMap): FieldError[] {
  if (!old.immutable) return [];
  return [
    ...(map.immutable ? [] : [forbiddenField('immutable', IMMUTABLE_DATA)]),
    ...(sameMeaning(map.data, old.data) ? [] : [forbiddenField('data', IMMUTABLE_DATA)]),
    ...(sameMeaning(map.binaryData, old.binaryData)
      ? []
      : [forbiddenField('binaryData', IMMUTABLE_DATA)]),
  ];
}
