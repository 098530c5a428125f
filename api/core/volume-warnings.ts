// Words of warning about persistent volumes and claims: annotations that became fields, drivers that went, parts of a byte.
// Pure; wordings are those API clients know.
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
} from '../generated/types.ts';
import { termWarnings } from '../meta/node-labels.ts';
import { fractions, volumeWarnings } from './pod-warnings.ts';

const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class';
const OPTIONS_ANNOTATION = 'volume.beta.kubernetes.io/mount-options';
const STORAGE = ['storage'];

const said = (annotations: object | undefined, key: string, why: string) =>
  annotations && Object.hasOwn(annotations, key) ? [`metadata.annotations[${key}]: ${why}`] : [];

const aboutClass = (annotations: object | undefined) =>
  said(
    annotations,
    CLASS_ANNOTATION,
    'deprecated since v1.8; use "storageClassName" attribute instead',
  );

/** What is to be said of a volume. */
export function persistentVolumeWarnings({ metadata, spec = {} }: PersistentVolume): string[] {
  const { nodeAffinity, capacity, persistentVolumeReclaimPolicy: policy } = spec;
  const options = 'deprecated since v1.31; use "mountOptions" attribute instead';
  return [
    ...aboutClass(metadata.annotations),
    ...said(metadata.annotations, OPTIONS_ANNOTATION, options),
    ...(policy === 'Recycle'
      ? [
          'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
        ]
      : []),
    ...(nodeAffinity?.required?.nodeSelectorTerms ?? []).flatMap((term, i) =>
      termWarnings(term, `spec.nodeAffinity.required.nodeSelectorTerms[${i}]`),
    ),
    ...volumeWarnings(spec as Parameters<typeof volumeWarnings>[0], 'spec'),
    ...fractions(capacity, 'spec.capacity', STORAGE),
  ];
}

/** What is to be said of a claim. */
export function claimWarnings({ metadata, spec }: PersistentVolumeClaim): string[] {
  return [...aboutClass(metadata.annotations), ...claimSpecWarnings(spec, 'spec')];
}

/** What is to be said of what is claimed. */
export function claimSpecWarnings(
  spec: PersistentVolumeClaimSpec | undefined,
  at: string,
): string[] {
  const { limits, requests } = spec?.resources ?? {};
  return [
    ...fractions(requests, `${at}.resources.requests`, STORAGE),
    ...fractions(limits, `${at}.resources.limits`, STORAGE),
  ];
}
