// PersistentVolumeClaims: storage that somebody asks for. Invariant: what a claim has is told in its status, by who binds it.
import { ALL_VERBS, defineResource } from '../definition.ts';
import type {
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
  TypedLocalObjectReference,
} from '../generated/types.ts';
import { PersistentVolumeClaims } from '../kinds.ts';
import { ageColumn, nameColumn, text } from '../meta/columns.ts';
import { validateClaim, validateClaimStatus } from './claim-validation.ts';
import { canonicalResources } from './pod-template-defaults.ts';
import { accessModesText, classColumns, phaseColumn, volumeModeColumn } from './volume-columns.ts';
import { claimWarnings } from './volume-warnings.ts';

/** What PersistentVolumeClaims are. */
export const persistentVolumeClaimDefinition = defineResource<PersistentVolumeClaim>({
  ref: PersistentVolumeClaims,
  singular: 'persistentvolumeclaim',
  listKind: 'PersistentVolumeClaimList',
  shortNames: ['pvc'],
  categories: [],
  schemaName: 'io.k8s.api.core.v1.PersistentVolumeClaim',
  verbs: ALL_VERBS,
  hasStatus: true,
  hasGeneration: false,
  returnsDeleted: true,
  subresources: [],
  columns: [
    nameColumn,
    phaseColumn,
    text('Volume', 'The volume that it has.', ({ spec }) => spec?.volumeName ?? ''),
    text('Capacity', 'How much it holds.', ({ spec, status }) =>
      spec?.volumeName ? (status?.capacity?.['storage'] ?? '0') : '',
    ),
    text('Access Modes', 'Who may use it, and how.', ({ spec, status }) =>
      spec?.volumeName ? accessModesText(status?.accessModes) : '',
    ),
    ...classColumns,
    ageColumn,
    volumeModeColumn,
  ],
  selectableFields: {},
  defaults: ({ spec, status }) => {
    if (spec) defaultSpec(spec);
    canonicalResources(status?.capacity);
    canonicalResources(status?.allocatedResources);
  },
  prepareForCreate(claim) {
    claim.status = { phase: 'Pending' };
    if (claim.spec) mirrorSources(claim.spec);
  },
  validate: validateClaim,
  warnings: claimWarnings,
  validateStatus: validateClaimStatus,
});

/** Fills a claim that stands as a template in another kind. */
export function defaultClaimTemplate(claim: PersistentVolumeClaim): void {
  claim.apiVersion = 'v1';
  claim.kind = 'PersistentVolumeClaim';
  claim.status ??= {};
  claim.status.phase ||= 'Pending';
  if (claim.spec) defaultSpec(claim.spec);
}

function defaultSpec(spec: PersistentVolumeClaimSpec): void {
  spec.volumeMode ??= 'Filesystem';
  canonicalResources(spec.resources?.requests);
  canonicalResources(spec.resources?.limits);
}

/** `dataSource` is the older way of saying `dataSourceRef`; both show the same. */
function mirrorSources(spec: PersistentVolumeClaimSpec): void {
  if (spec.dataSource && !spec.dataSourceRef) spec.dataSourceRef = { ...spec.dataSource };
  else if (spec.dataSourceRef && !spec.dataSourceRef.namespace && !spec.dataSource) {
    const { namespace: _none, ...reference } = spec.dataSourceRef;
    spec.dataSource = reference satisfies TypedLocalObjectReference;
  }
}
