// FlowSchemas: which requests belong to which priority level. Stored and shown; requests are not told apart by them yet.
// bootstrap.ts has those that every cluster starts with.
import { ALL_VERBS, defineResource, WRITABLE_METADATA } from '../definition.ts';
import type { FlowSchema } from '../generated/types.ts';
import { FlowSchemas } from '../kinds.ts';
import { ageColumn, nameColumn, text } from '../meta/columns.ts';
import { findCondition } from '../meta/conditions.ts';
import { validateFlowSchema } from './flow-schema-validation.ts';

const DEFAULT_PRECEDENCE = 1000;

/** What FlowSchemas are. */
export const flowSchemaDefinition = defineResource<FlowSchema>({
  ref: FlowSchemas,
  singular: 'flowschema',
  listKind: 'FlowSchemaList',
  shortNames: [],
  categories: [],
  schemaName: 'io.k8s.api.flowcontrol.v1.FlowSchema',
  verbs: ALL_VERBS,
  hasStatus: true,
  keptByStatus: WRITABLE_METADATA,
  hasGeneration: true,
  subresources: [],
  columns: [
    nameColumn,
    text('PriorityLevel', 'Where its requests belong.', ({ spec }) =>
      String(spec?.priorityLevelConfiguration?.name ?? ''),
    ),
    {
      ...text('MatchingPrecedence', 'Of several that fit, the lowest counts.', () => ''),
      value: ({ spec }) => spec?.matchingPrecedence ?? 0,
    },
    text(
      'DistinguisherMethod',
      'What keeps its flows apart.',
      ({ spec }) => spec?.distinguisherMethod?.type ?? '<none>',
    ),
    ageColumn,
    text('MissingPL', 'Whether its priority level is missing.', danglingText),
  ],
  selectableFields: {},
  defaults({ spec }) {
    if (spec) spec.matchingPrecedence ||= DEFAULT_PRECEDENCE;
  },
  prepareForCreate(schema) {
    schema.status = {};
  },
  validate: validateFlowSchema,
});

function danglingText({ status }: FlowSchema): string {
  const conditions = (status?.conditions ?? []).map(({ type = '', status: is = '' }) => ({
    type,
    status: is,
  }));
  return findCondition(conditions, 'Dangling')?.status ?? '?';
}
