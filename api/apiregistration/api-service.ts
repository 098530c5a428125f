// APIServices: who answers for a group and version, this server or another one behind a Service.
// Who does so, and whether it can be reached, is apiserver/extensions/aggregation's.
import { ALL_VERBS, defineResource, WRITABLE_METADATA } from '../definition.ts';
import type { APIService } from '../generated/types.ts';
import { APIServices } from '../kinds.ts';
import { ageColumn, nameColumn, text } from '../meta/columns.ts';
import { findCondition } from '../meta/conditions.ts';
import { validateApiService } from './api-service-validation.ts';

/** The port of a Service that names none. */
const DEFAULT_PORT = 443;

/** What APIServices are. */
export const apiServiceDefinition = defineResource<APIService>({
  ref: APIServices,
  singular: 'apiservice',
  listKind: 'APIServiceList',
  shortNames: [],
  categories: ['api-extensions'],
  schemaName: 'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService',
  verbs: ALL_VERBS,
  hasStatus: true,
  keptByStatus: WRITABLE_METADATA,
  hasGeneration: false,
  putNeedsVersion: true,
  subresources: [],
  columns: [
    nameColumn,
    text('Service', 'The Service that answers, or Local for this server.', ({ spec }) =>
      spec?.service ? `${spec.service.namespace}/${spec.service.name}` : 'Local',
    ),
    text('Available', 'Whether it answers.', availableText),
    ageColumn,
  ],
  selectableFields: {},
  defaults({ spec }) {
    if (spec?.service) spec.service.port ??= DEFAULT_PORT;
  },
  prepareForCreate(service) {
    service.status = {};
  },
  validate: validateApiService,
});

function availableText({ status }: APIService): string {
  const found = findCondition(status?.conditions, 'Available');
  if (found === undefined) return 'Unknown';
  return found.status === 'True' ? found.status : `${found.status} (${found.reason ?? ''})`;
}
