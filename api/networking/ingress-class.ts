// IngressClasses: who serves the Ingresses that name the class, and with which parameters. Nothing serves any yet.
import { ALL_VERBS, defineResource } from '../definition.ts';
import type { FieldError } from '../field-error.ts';
import { forbiddenField, required, tooLong } from '../field-error.ts';
import type { IngressClass, IngressClassParametersReference } from '../generated/types.ts';
import { IngressClasses } from '../kinds.ts';
import { ageColumn, nameColumn, text } from '../meta/columns.ts';
import { mustObey, obeys, unchanged } from '../meta/field-rules.ts';
import { dnsLabel, domainPrefixedPath } from '../meta/names.ts';
import { requiredOneOf } from '../meta/numbers.ts';
import { validateTypedReference } from './typed-reference.ts';

const MAX_CONTROLLER = 250;

/** What IngressClasses are. */
export const ingressClassDefinition = defineResource<IngressClass>({
  ref: IngressClasses,
  singular: 'ingressclass',
  listKind: 'IngressClassList',
  shortNames: [],
  categories: [],
  schemaName: 'io.k8s.api.networking.v1.IngressClass',
  verbs: ALL_VERBS,
  hasStatus: false,
  hasGeneration: true,
  subresources: [],
  columns: [
    nameColumn,
    text('Controller', 'Who serves it.', ({ spec }) => spec?.controller ?? ''),
    text('Parameters', 'Where its parameters are.', ({ spec }) => parametersText(spec?.parameters)),
    ageColumn,
  ],
  selectableFields: {},
  defaults({ spec }) {
    if (spec?.parameters) spec.parameters.scope ??= 'Cluster';
  },
  validate: ({ spec = {} }, old) => [
    ...validateController(spec.controller),
    ...(spec.parameters ? validateParameters(spec.parameters) : []),
    ...(old ? unchanged(spec.controller, old.spec?.controller, 'spec.controller') : []),
  ],
});

function parametersText(parameters: IngressClassParametersReference | undefined): string {
  if (parameters === undefined) return '<none>';
  const { apiGroup, kind, name } = parameters;
  return `${kind}${apiGroup === undefined ? '' : `.${apiGroup}`}/${name}`;
}

function validateController(controller = ''): FieldError[] {
  const path = 'spec.controller';
  const long = controller.length > MAX_CONTROLLER ? [tooLong(path, MAX_CONTROLLER)] : [];
  return [...long, ...mustObey(domainPrefixedPath, controller, path)];
}

function validateParameters(parameters: IngressClassParametersReference): FieldError[] {
  const path = 'spec.parameters';
  const { scope, namespace } = parameters;
  return [
    ...validateTypedReference(parameters, path),
    ...requiredOneOf(scope, ['Cluster', 'Namespace'], `${path}.scope`),
    ...validateNamespace(scope, namespace, `${path}.namespace`),
  ];
}

function validateNamespace(
  scope: string | undefined,
  namespace: string | undefined,
  path: string,
): FieldError[] {
  const why = `\`parameters.scope\` is set to '${scope ?? ''}'`;
  if (scope === 'Namespace') {
    return namespace === undefined ? [required(path, why)] : obeys(dnsLabel, namespace, path);
  }
  return scope === 'Cluster' && namespace !== undefined ? [forbiddenField(path, why)] : [];
}
