// VolumeAttachments: that a volume is to be attached to a node. Stored and shown; nothing attaches by them yet.
// Invariant: what is asked for never changes; whether it is done is status.
import { ALL_VERBS, defineResource, WRITABLE_METADATA } from '../definition.ts';
import type { FieldError } from '../field-error.ts';
import { forbiddenField, required, tooLong } from '../field-error.ts';
import type {
  VolumeAttachment,
  VolumeAttachmentSource,
  VolumeAttachmentSpec,
} from '../generated/types.ts';
import { VolumeAttachments } from '../kinds.ts';
import { ageColumn, nameColumn, text, yesNo } from '../meta/columns.ts';
import { obeys, unchanged } from '../meta/field-rules.ts';
import { dnsSubdomain } from '../meta/names.ts';
import { validateDriver } from './storage-rules.ts';

const MAX_MESSAGE = 1024;

/** What VolumeAttachments are. */
export const volumeAttachmentDefinition = defineResource<VolumeAttachment>({
  ref: VolumeAttachments,
  singular: 'volumeattachment',
  listKind: 'VolumeAttachmentList',
  shortNames: [],
  categories: [],
  schemaName: 'io.k8s.api.storage.v1.VolumeAttachment',
  verbs: ALL_VERBS,
  hasStatus: true,
  keptByStatus: WRITABLE_METADATA,
  hasGeneration: false,
  putNeedsVersion: true,
  returnsDeleted: true,
  subresources: [],
  columns: [
    nameColumn,
    text('Attacher', 'Who attaches it.', (one) => specOf(one).attacher ?? ''),
    text('PV', 'The volume.', (one) => specOf(one).source?.persistentVolumeName ?? ''),
    text('Node', 'The node.', (one) => specOf(one).nodeName ?? ''),
    yesNo('Attached', 'Whether it is done.', (one) => one.status?.attached ?? false),
    ageColumn,
  ],
  selectableFields: {},
  prepareForCreate(one) {
    one.status = { attached: false };
  },
  validate: (one, old) => {
    const spec = specOf(one);
    return [
      ...validateDriver(spec.attacher, 'spec.attacher'),
      ...validateSource(spec.source ?? {}),
      ...obeys(dnsSubdomain, spec.nodeName ?? '', 'spec.nodeName'),
      ...(old === undefined ? [] : unchanged(spec, old.spec, 'spec')),
    ];
  },
  validateStatus: ({ status }) =>
    (['attachError', 'detachError'] as const)
      .filter((field) => (status?.[field]?.message?.length ?? 0) > MAX_MESSAGE)
      .map((field) => tooLong(`status.${field}.message`, MAX_MESSAGE)),
});

function specOf({ spec }: Partial<VolumeAttachment>): Partial<VolumeAttachmentSpec> {
  return spec ?? {};
}

function validateSource({ inlineVolumeSpec, persistentVolumeName }: VolumeAttachmentSource) {
  const path = 'spec.source';
  const why = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName';
  const errors: FieldError[] = [];
  if (inlineVolumeSpec && persistentVolumeName !== undefined) {
    return [forbiddenField(path, why)];
  }
  if (!inlineVolumeSpec && persistentVolumeName === undefined) return [required(path, why)];
  if (persistentVolumeName === '') {
    const missing = 'must specify non empty persistentVolumeName';
    errors.push(required(`${path}.persistentVolumeName`, missing));
  }
  return [
    ...errors,
    ...obeys(dnsSubdomain, persistentVolumeName || undefined, `${path}.persistentVolumeName`),
  ];
}
