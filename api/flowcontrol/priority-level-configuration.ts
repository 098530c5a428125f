// PriorityLevelConfigurations: how many requests of a level run at once, and which wait. Stored and shown; requests are
// not held to them yet. bootstrap.ts has those that every cluster starts with.
import { ALL_VERBS, defineResource, type Column, WRITABLE_METADATA } from '../definition.ts';
import type { FieldError } from '../field-error.ts';
import { forbiddenField, invalidValue, notSupported, required } from '../field-error.ts';
import type {
  LimitedPriorityLevelConfiguration as Limited,
  LimitResponse,
  PriorityLevelConfiguration,
  PriorityLevelConfigurationSpec,
  QueuingConfiguration,
} from '../generated/types.ts';
import { PriorityLevelConfigurations } from '../kinds.ts';
import { ageColumn, nameColumn, text } from '../meta/columns.ts';
import { between } from '../meta/numbers.ts';

const EXEMPT = 'exempt';
const MAX_QUEUES = 10_000_000;
const DEFAULT_SHARES = 30;

/** What PriorityLevelConfigurations are. */
export const priorityLevelConfigurationDefinition = defineResource<PriorityLevelConfiguration>({
  ref: PriorityLevelConfigurations,
  singular: 'prioritylevelconfiguration',
  listKind: 'PriorityLevelConfigurationList',
  shortNames: [],
  categories: [],
  schemaName: 'io.k8s.api.flowcontrol.v1.PriorityLevelConfiguration',
  verbs: ALL_VERBS,
  hasStatus: true,
  keptByStatus: WRITABLE_METADATA,
  hasGeneration: true,
  subresources: [],
  columns: [
    nameColumn,
    text('Type', 'Whether it has limits.', ({ spec }) => String(spec?.type ?? '')),
    figure(
      'NominalConcurrencyShares',
      'Its share of what may run at once.',
      (limited) => limited.nominalConcurrencyShares,
    ),
    figure('Queues', 'How many queues it has.', (limited) => queuingOf(limited).queues),
    figure('HandSize', 'Among how many a flow chooses.', (limited) => queuingOf(limited).handSize),
    figure(
      'QueueLengthLimit',
      'How many wait in each.',
      (limited) => queuingOf(limited).queueLengthLimit,
    ),
    ageColumn,
  ],
  selectableFields: {},
  defaults({ spec = {} }: { spec?: Partial<PriorityLevelConfigurationSpec> | undefined }) {
    const { exempt, limited } = spec;
    if (spec.type === 'Exempt') {
      spec.exempt = { nominalConcurrencyShares: 0, lendablePercent: 0, ...exempt };
    }
    if (!limited) return;
    limited.nominalConcurrencyShares ??= DEFAULT_SHARES;
    limited.lendablePercent ??= 0;
    const queuing = limited.limitResponse?.queuing;
    if (!queuing) return;
    queuing.handSize ||= 8;
    queuing.queues ||= 64;
    queuing.queueLengthLimit ||= 50;
  },
  prepareForCreate(level) {
    level.status = {};
  },
  validate: ({ metadata, spec }) => validateLevel(metadata.name ?? '', spec ?? {}),
});

function queuingOf({ limitResponse }: Limited): QueuingConfiguration {
  return limitResponse?.queuing ?? {};
}

/** Numbers where there are limits, in a column of texts. */
function figure(
  name: string,
  description: string,
  value: (limited: Limited) => number | undefined,
): Column<PriorityLevelConfiguration> {
  return {
    ...text(name, description, () => ''),
    value: ({ spec }) => (spec?.limited && value(spec.limited)) ?? '<none>',
  };
}

function validateLevel(name: string, spec: Partial<PriorityLevelConfigurationSpec>): FieldError[] {
  const { type = '', exempt, limited } = spec;
  const errors: FieldError[] = [];
  if ((name === EXEMPT) !== (type === 'Exempt')) {
    const why = "must be 'Exempt' if and only if `name` is 'exempt'";
    errors.push(invalidValue('spec.type', type, why));
  }
  if (type === 'Exempt') {
    const why = 'must be nil if the type is not Limited';
    if (limited) errors.push(forbiddenField('spec.limited', why));
    return [...errors, ...validateShares(exempt ?? {}, 'spec.exempt')];
  }
  if (type !== 'Limited') {
    return [...errors, notSupported('spec.type', type, ['Exempt', 'Limited'])];
  }
  if (exempt) errors.push(forbiddenField('spec.exempt', 'must be nil if the type is Limited'));
  if (!limited) return [...errors, required('spec.limited', 'must not be empty')];
  const borrowed = limited.borrowingLimitPercent ?? 0;
  if (borrowed < 0) {
    const why = 'if specified, must be a non-negative integer';
    errors.push(invalidValue('spec.limited.borrowingLimitPercent', borrowed, why));
  }
  return [
    ...errors,
    ...validateShares(limited, 'spec.limited'),
    ...validateResponse(limited.limitResponse ?? {}, 'spec.limited.limitResponse'),
  ];
}

type Shares = Pick<Limited, 'nominalConcurrencyShares' | 'lendablePercent'>;

function validateShares(
  { nominalConcurrencyShares: shares = 0, lendablePercent }: Shares,
  path: string,
) {
  const negative = 'must be a non-negative integer';
  return [
    ...(shares < 0 ? [invalidValue(`${path}.nominalConcurrencyShares`, shares, negative)] : []),
    ...between(lendablePercent, [0, 100], `${path}.lendablePercent`),
  ];
}

function validateResponse({ type = '', queuing }: Partial<LimitResponse>, path: string) {
  const at = `${path}.queuing`;
  if (type === 'Reject') {
    const why = 'must be nil if limited response type is not Queue';
    return queuing ? [forbiddenField(at, why)] : [];
  }
  if (type !== 'Queue') return [notSupported(`${path}.type`, type, ['Queue', 'Reject'])];
  if (!queuing) return [required(at, 'must not be empty if limited response type is Queue')];
  const { queues = 0, handSize = 0, queueLengthLimit = 0 } = queuing;
  const errors: FieldError[] = [];
  for (const [field, value] of Object.entries({ queueLengthLimit, queues, handSize })) {
    if (value <= 0) errors.push(invalidValue(`${at}.${field}`, value, 'must be positive'));
  }
  if (queues > MAX_QUEUES) {
    errors.push(invalidValue(`${at}.queues`, queues, `must not be greater than ${MAX_QUEUES}`));
  }
  if (handSize > queues) {
    const why = `should not be greater than queues (${queues})`;
    errors.push(invalidValue(`${at}.handSize`, handSize, why));
  }
  return errors;
}
