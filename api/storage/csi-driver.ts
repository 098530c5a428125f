// CSIDrivers: what a volume driver needs from the cluster. Stored and shown; no driver is run by them yet.
import { ALL_VERBS, defineResource } from '../definition.ts';
import type { FieldError } from '../field-error.ts';
import { duplicate, invalidValue, notSupported } from '../field-error.ts';
import type { CSIDriver, CSIDriverSpec, StorageTokenRequest } from '../generated/types.ts';
import { CSIDrivers } from '../kinds.ts';
import { ageColumn, nameColumn, text, yesNo } from '../meta/columns.ts';
import { unchanged } from '../meta/field-rules.ts';
import { oneOf } from '../meta/numbers.ts';
import { repeats } from '../meta/repeats.ts';
import { driverName } from './storage-rules.ts';

const MODES = ['Ephemeral', 'Persistent'];
const MIN_TOKEN_SECONDS = 600;
const MAX_TOKEN_SECONDS = 2 ** 32;
const MIN_UPDATE_SECONDS = 10;

/** What CSIDrivers are. */
export const csiDriverDefinition = defineResource<CSIDriver>({
  ref: CSIDrivers,
  singular: 'csidriver',
  listKind: 'CSIDriverList',
  shortNames: [],
  categories: [],
  schemaName: 'io.k8s.api.storage.v1.CSIDriver',
  verbs: ALL_VERBS,
  hasStatus: false,
  hasGeneration: true,
  putNeedsVersion: true,
  returnsDeleted: true,
  subresources: [],
  columns: [
    nameColumn,
    yesNo(
      'AttachRequired',
      'Volumes are attached first.',
      (one) => one.spec?.attachRequired ?? true,
    ),
    yesNo('PodInfoOnMount', 'It is told of the pod.', (one) => one.spec?.podInfoOnMount ?? false),
    yesNo(
      'StorageCapacity',
      'It says what it has room for.',
      (one) => one.spec?.storageCapacity ?? false,
    ),
    text('TokenRequests', 'Audiences of the tokens that it gets.', ({ spec }) =>
      spec?.tokenRequests === undefined
        ? '<unset>'
        : spec.tokenRequests.map(({ audience }) => audience).join(','),
    ),
    yesNo(
      'RequiresRepublish',
      'It is asked again and again.',
      (one) => one.spec?.requiresRepublish ?? false,
    ),
    text('Modes', 'The lives that its volumes have.', ({ spec }) =>
      spec?.volumeLifecycleModes?.length ? spec.volumeLifecycleModes.join(',') : '<none>',
    ),
    ageColumn,
  ],
  selectableFields: {},
  validateName: driverName,
  defaults(driver: Partial<CSIDriver>) {
    driver.spec ??= {};
    const { spec } = driver;
    spec.attachRequired ??= true;
    spec.podInfoOnMount ??= false;
    spec.requiresRepublish ??= false;
    spec.seLinuxMount ??= false;
    spec.storageCapacity ??= false;
    spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType';
    if (!spec.volumeLifecycleModes?.length) spec.volumeLifecycleModes = ['Persistent'];
  },
  validate: ({ spec = {} }: Partial<CSIDriver>, old) => [
    ...oneOf(spec.fsGroupPolicy, ['File', 'None', 'ReadWriteOnceWithFSType'], 'spec.fsGroupPolicy'),
    ...validateTokens(spec.tokenRequests ?? []),
    ...(spec.volumeLifecycleModes ?? [])
      .filter((mode) => !MODES.includes(mode))
      .map((mode) => notSupported('spec.volumeLifecycleModes', mode, MODES)),
    ...validatePeriod(spec.nodeAllocatableUpdatePeriodSeconds),
    ...(old === undefined ? [] : validateKept(spec, old.spec ?? {})),
  ],
});

function validateTokens(requests: readonly StorageTokenRequest[]): FieldError[] {
  const audiences = requests.map(({ audience = '' }: Partial<StorageTokenRequest>) => audience);
  const repeated = repeats(audiences);
  return requests.flatMap(({ expirationSeconds: seconds }, i) => {
    const path = `spec.tokenRequests[${i}]`;
    const audience = audiences[i] ?? '';
    const errors = repeated.has(i) ? [duplicate(`${path}.audience`, audience)] : [];
    if (seconds !== undefined && seconds < MIN_TOKEN_SECONDS) {
      const why = 'may not specify a duration less than 10 minutes';
      errors.push(invalidValue(`${path}.expirationSeconds`, seconds, why));
    }
    if (seconds !== undefined && seconds > MAX_TOKEN_SECONDS) {
      const why = 'may not specify a duration larger than 2^32 seconds';
      errors.push(invalidValue(`${path}.expirationSeconds`, seconds, why));
    }
    return errors;
  });
}

function validatePeriod(seconds: number | undefined): FieldError[] {
  if (seconds === undefined || seconds >= MIN_UPDATE_SECONDS) return [];
  const why = `must be greater than or equal to ${MIN_UPDATE_SECONDS} seconds`;
  return [invalidValue('spec.nodeAllocatableUpdatePeriodSeconds', seconds, why)];
}

/** The first path is upstream's, which differs from the field's name. */
function validateKept(now: CSIDriverSpec, before: CSIDriverSpec): FieldError[] {
  return [
    ...unchanged(now.attachRequired, before.attachRequired, 'spec.attachedRequired'),
    ...unchanged(now.fsGroupPolicy, before.fsGroupPolicy, 'spec.fsGroupPolicy'),
    ...unchanged(
      now.volumeLifecycleModes,
      before.volumeLifecycleModes,
      'spec.volumeLifecycleModes',
    ),
  ];
}
