// PersistentVolumes: storage that is there for a claim. Invariant: whose it is is told by `claimRef`, in which phase it is by its status.
import { ALL_VERBS, defineResource } from '../definition.ts';
import type { PersistentVolume, PersistentVolumeSpec } from '../generated/types.ts';
import { PersistentVolumes } from '../kinds.ts';
import { ageColumn, nameColumn, text } from '../meta/columns.ts';
import { canonicalResources } from './pod-template-defaults.ts';
import { validatePersistentVolume } from './persistent-volume-validation.ts';
import { accessModesText, classColumns, phaseColumn, volumeModeColumn } from './volume-columns.ts';
import { persistentVolumeWarnings } from './volume-warnings.ts';

/** What PersistentVolumes are. */
export const persistentVolumeDefinition = defineResource<PersistentVolume>({
  ref: PersistentVolumes,
  singular: 'persistentvolume',
  listKind: 'PersistentVolumeList',
  shortNames: ['pv'],
  categories: [],
  schemaName: 'io.k8s.api.core.v1.PersistentVolume',
  verbs: ALL_VERBS,
  hasStatus: true,
  hasGeneration: false,
  returnsDeleted: true,
  subresources: [],
  columns: [
    nameColumn,
    text('Capacity', 'How much it holds.', ({ spec }) => spec?.capacity?.['storage'] ?? '0'),
    text('Access Modes', 'Who may use it, and how.', ({ spec }) =>
      accessModesText(spec?.accessModes),
    ),
    text(
      'Reclaim Policy',
      'What becomes of it when it is given back.',
      ({ spec }) => spec?.persistentVolumeReclaimPolicy ?? '',
    ),
    phaseColumn,
    text('Claim', 'The claim that has it.', ({ spec }) =>
      spec?.claimRef ? `${spec.claimRef.namespace ?? ''}/${spec.claimRef.name ?? ''}` : '',
    ),
    ...classColumns,
    text('Reason', 'Why it is in this state.', ({ status }) => status?.reason ?? ''),
    ageColumn,
    volumeModeColumn,
  ],
  selectableFields: {},
  defaults: ({ spec }) => {
    if (spec) defaultSpec(spec);
  },
  prepareForCreate(volume) {
    const { creationTimestamp } = volume.metadata;
    volume.status = {
      phase: 'Pending',
      ...(creationTimestamp ? { lastPhaseTransitionTime: creationTimestamp } : {}),
    };
  },
  validate: validatePersistentVolume,
  warnings: persistentVolumeWarnings,
});

/** What single sources say unless told otherwise. */
const SOURCE_DEFAULTS = {
  azureDisk: { cachingMode: 'ReadWrite', kind: 'Shared', fsType: 'ext4', readOnly: false },
  hostPath: { type: '' },
  iscsi: { iscsiInterface: 'default' },
  rbd: { pool: 'rbd', user: 'admin', keyring: '/etc/ceph/keyring' },
  scaleIO: { storageMode: 'ThinProvisioned', fsType: 'xfs' },
} as const;

function defaultSpec(spec: PersistentVolumeSpec): void {
  spec.persistentVolumeReclaimPolicy ||= 'Retain';
  spec.volumeMode ??= 'Filesystem';
  canonicalResources(spec.capacity);
  for (const [name, defaults] of Object.entries(SOURCE_DEFAULTS)) {
    const source: object | undefined = spec[name as keyof typeof SOURCE_DEFAULTS];
    if (source === undefined) continue;
    const said = Object.entries(source).filter(([, value]) => value !== undefined && value !== '');
    Object.assign(source, { ...defaults, ...Object.fromEntries(said) });
  }
}
