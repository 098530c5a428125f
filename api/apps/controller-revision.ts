// ControllerRevisions: states of StatefulSets and DaemonSets as they were, to go back to.
// Invariant: the data of a revision never changes once it is stored.
import { ALL_VERBS, defineResource } from '../definition.ts';
import { required } from '../field-error.ts';
import type { ControllerRevision } from '../generated/types.ts';
import { ControllerRevisions } from '../kinds.ts';
import { ageColumn, nameColumn, text } from '../meta/columns.ts';
import { unchanged } from '../meta/field-rules.ts';
import { notNegative } from '../meta/numbers.ts';
import { controllerOf } from '../meta/object.ts';

/** What ControllerRevisions are. */
export const controllerRevisionDefinition = defineResource<ControllerRevision>({
  ref: ControllerRevisions,
  singular: 'controllerrevision',
  listKind: 'ControllerRevisionList',
  shortNames: [],
  categories: [],
  schemaName: 'io.k8s.api.apps.v1.ControllerRevision',
  verbs: ALL_VERBS,
  hasStatus: false,
  hasGeneration: false,
  subresources: [],
  columns: [
    nameColumn,
    text('Controller', 'What it is a state of.', controllerText),
    {
      ...text('Revision', 'Which state it is, counted from 1.', () => ''),
      value: ({ revision }) => revision ?? 0,
    },
    ageColumn,
  ],
  selectableFields: {},
  validate: ({ data, revision }, old) => [
    ...(data === undefined || data === null ? [required('data', 'data is mandatory')] : []),
    ...notNegative(revision, 'revision'),
    ...(old === undefined ? [] : unchanged(data, old.data, 'data')),
  ],
});

/** `statefulset.apps/web`. */
function controllerText(revision: ControllerRevision): string {
  const owner = controllerOf(revision);
  if (owner === undefined) return '<none>';
  const [group] = owner.apiVersion.includes('/') ? owner.apiVersion.split('/') : [];
  const kind = group === undefined ? owner.kind : `${owner.kind}.${group}`;
  return `${kind.toLowerCase()}/${owner.name}`;
}
