// Rules of `spec.volumes`: names, one source each, and the sources that this cluster can mount.
// Sources it cannot mount are checked only for being the only one; the node agent says what it lacks.
import { gather } from '../../base/gather.ts';
import type { FieldError } from '../field-error.ts';
import { duplicate, forbiddenField, invalidValue, notSupported, required } from '../field-error.ts';
import type {
  DownwardAPIVolumeFile,
  EphemeralVolumeSource,
  KeyToPath,
  ProjectedVolumeSource,
  Volume,
  VolumeProjection,
} from '../generated/types.ts';
import { dnsLabel } from '../meta/names.ts';
import { quantityNotNegative } from '../meta/numbers.ts';
import { validateClaimTemplate } from './claim-validation.ts';

const HOST_PATH_TYPES = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
];

const isSet = (value: unknown): boolean => value !== undefined && value !== null;

/** Rules of all volumes of a pod. */
export function validateVolumes(volumes: readonly Volume[], path: string): FieldError[] {
  const seen = new Set<string>();
  return gather(volumes, (volume, i) => {
    const at = `${path}[${i}]`;
    const errors = validateVolumeName(volume.name ?? '', `${at}.name`);
    if (volume.name && seen.has(volume.name)) errors.push(duplicate(`${at}.name`, volume.name));
    seen.add(volume.name ?? '');
    return [...errors, ...validateSource(volume, at)];
  });
}

function validateVolumeName(name: string, path: string): FieldError[] {
  if (name === '') return [required(path)];
  const why = dnsLabel(name);
  return why === undefined ? [] : [invalidValue(path, name, why)];
}

function validateSource(volume: Volume, path: string): FieldError[] {
  const sources = Object.entries(volume).filter(([key, value]) => key !== 'name' && isSet(value));
  const [first, ...others] = sources.map(([key]) => key);
  if (first === undefined) return [required(path, 'must specify a volume type')];
  return [
    ...others.map((source) =>
      forbiddenField(`${path}.${source}`, 'may not specify more than 1 volume type'),
    ),
    ...validateKnownSource(volume, path),
  ];
}

function validateKnownSource(volume: Volume, path: string): FieldError[] {
  const { configMap, secret, emptyDir, hostPath, downwardAPI, projected, ephemeral } = volume;
  return [
    ...quantityNotNegative(emptyDir?.sizeLimit, `${path}.emptyDir.sizeLimit`),
    ...(hostPath ? validateHostPath(hostPath, `${path}.hostPath`) : []),
    ...(configMap
      ? [
          ...(configMap.name ? [] : [required(`${path}.configMap.name`)]),
          ...mode(configMap.defaultMode, `${path}.configMap.defaultMode`),
          ...validateItems(configMap.items ?? [], `${path}.configMap.items`),
        ]
      : []),
    ...(secret
      ? [
          ...(secret.secretName ? [] : [required(`${path}.secret.secretName`)]),
          ...mode(secret.defaultMode, `${path}.secret.defaultMode`),
          ...validateItems(secret.items ?? [], `${path}.secret.items`),
        ]
      : []),
    ...(downwardAPI
      ? [
          ...mode(downwardAPI.defaultMode, `${path}.downwardAPI.defaultMode`),
          ...validateFiles(downwardAPI.items ?? [], `${path}.downwardAPI.items`),
        ]
      : []),
    ...(projected ? validateProjected(projected, `${path}.projected`) : []),
    ...(volume.persistentVolumeClaim && !volume.persistentVolumeClaim.claimName
      ? [required(`${path}.persistentVolumeClaim.claimName`)]
      : []),
    ...(ephemeral ? validateEphemeral(ephemeral, `${path}.ephemeral.volumeClaimTemplate`) : []),
  ];
}

function validateEphemeral(
  { volumeClaimTemplate }: EphemeralVolumeSource,
  path: string,
): FieldError[] {
  return volumeClaimTemplate ? validateClaimTemplate(volumeClaimTemplate, path) : [required(path)];
}

/** Rules of a path on the host. */
export function validateHostPath(
  source: { path: string; type?: string | undefined },
  path: string,
): FieldError[] {
  if (!source.path) return [required(`${path}.path`)];
  const errors: FieldError[] = [];
  if (source.path.split('/').includes('..')) {
    errors.push(invalidValue(`${path}.path`, source.path, "must not contain '..'"));
  }
  if (source.type !== undefined && !HOST_PATH_TYPES.includes(source.type)) {
    errors.push(notSupported(`${path}.type`, source.type, HOST_PATH_TYPES));
  }
  return errors;
}

function mode(value: number | undefined, path: string): FieldError[] {
  if (value === undefined || (value >= 0 && value <= 0o777)) return [];
  return [invalidValue(path, value, 'must be a number between 0 and 0777 (octal), both inclusive')];
}

function validateItems(items: readonly KeyToPath[], path: string): FieldError[] {
  return gather(items, (item, i) => [
    ...(item.key ? [] : [required(`${path}[${i}].key`)]),
    ...localPath(item.path, `${path}[${i}].path`),
    ...mode(item.mode, `${path}[${i}].mode`),
  ]);
}

/** A path that stays below the volume. */
export function localPath(text: string | undefined, path: string): FieldError[] {
  if (!text) return [required(path)];
  if (text.startsWith('/')) return [invalidValue(path, text, 'must be a relative path')];
  if (text.split('/').includes('..')) return [invalidValue(path, text, "must not contain '..'")];
  return text.startsWith('..') ? [invalidValue(path, text, "must not start with '..'")] : [];
}

function validateFiles(items: readonly DownwardAPIVolumeFile[], path: string): FieldError[] {
  return gather(items, (item, i) => {
    const at = `${path}[${i}]`;
    const refs = Number(item.fieldRef !== undefined) + Number(item.resourceFieldRef !== undefined);
    const errors = localPath(item.path, `${at}.path`);
    if (refs === 0) errors.push(required(at, 'one of fieldRef and resourceFieldRef is required'));
    if (refs === 2) {
      errors.push(
        invalidValue(
          at,
          'resource',
          'fieldRef and resourceFieldRef can not be specified simultaneously',
        ),
      );
    }
    return [...errors, ...mode(item.mode, `${at}.mode`)];
  });
}

function validateProjected(source: ProjectedVolumeSource, path: string): FieldError[] {
  return [
    ...mode(source.defaultMode, `${path}.defaultMode`),
    ...gather(source.sources, (part, i) => validateProjection(part, `${path}.sources[${i}]`)),
  ];
}

function validateProjection(part: VolumeProjection, path: string): FieldError[] {
  const [first, ...others] = Object.entries(part)
    .filter(([, value]) => isSet(value))
    .map(([key]) => key);
  if (first === undefined) return [required(path, 'must specify a volume type')];
  const errors = others.map((other) =>
    forbiddenField(`${path}.${other}`, 'may not specify more than 1 volume type'),
  );
  const { configMap, secret, downwardAPI, serviceAccountToken } = part;
  if (configMap && !configMap.name) errors.push(required(`${path}.configMap.name`));
  if (secret && !secret.name) errors.push(required(`${path}.secret.name`));
  return [
    ...errors,
    ...validateItems(configMap?.items ?? [], `${path}.configMap.items`),
    ...validateItems(secret?.items ?? [], `${path}.secret.items`),
    ...validateFiles(downwardAPI?.items ?? [], `${path}.downwardAPI.items`),
    ...(serviceAccountToken
      ? localPath(serviceAccountToken.path, `${path}.serviceAccountToken.path`)
      : []),
  ];
}
