// Columns that volumes and claims share, and how both show their access modes.
// Pure; texts are those that `kubectl get` prints.
import { table } from '../../base/table.ts';
import type { Column } from '../definition.ts';
import { text, wide } from '../meta/columns.ts';
import type { KubeObject } from '../meta/object.ts';
import { CLASS_ANNOTATION } from './claim-validation.ts';

/** Stands for a field that is not set. */
const UNSET = '<unset>';

const SHORT: Readonly<Record<string, string>> = table({
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
});

/** What both kinds have. */
interface Storage extends KubeObject {
  spec?:
    | {
        storageClassName?: string | undefined;
        volumeAttributesClassName?: string | undefined;
        volumeMode?: string | undefined;
      }
    | undefined;
  status?: { phase?: string | undefined } | undefined;
}

/** The modes in short, each once, in a fixed order: `RWO,ROX`. */
export function accessModesText(modes: readonly string[] | undefined): string {
  return Object.entries(SHORT)
    .flatMap(([mode, short]) => (modes?.includes(mode) ? [short] : []))
    .join(',');
}

/** The `Status` column. */
export const phaseColumn: Column<Storage> = text(
  'Status',
  'Whether volume and claim have each other.',
  ({ metadata, status }) =>
    metadata.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating',
);

/** The columns of the classes. */
export const classColumns: readonly Column<Storage>[] = [
  text(
    'StorageClass',
    'The class of its storage.',
    ({ metadata, spec }) =>
      metadata.annotations?.[CLASS_ANNOTATION] ?? spec?.storageClassName ?? '',
  ),
  text(
    'VolumeAttributesClass',
    'The attributes of its storage.',
    ({ spec }) => spec?.volumeAttributesClassName ?? UNSET,
  ),
];

/** The `VolumeMode` column. */
export const volumeModeColumn: Column<Storage> = wide(
  'VolumeMode',
  'Files or a block device.',
  ({ spec }) => spec?.volumeMode ?? UNSET,
);
