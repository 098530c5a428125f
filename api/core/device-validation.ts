// Rules of volumes that containers are given as devices (`volumeDevices`). Wordings are those API clients know.
import { gather } from '../../base/gather.ts';
import type { FieldError } from '../field-error.ts';
import { invalidValue, notFoundField, required } from '../field-error.ts';
import type { Container, VolumeDevice } from '../generated/types.ts';

/** Rules of a container's devices; `volumes` are those that the pod has. */
export function validateVolumeDevices(
  { volumeDevices = [], volumeMounts = [] }: Container,
  volumes: ReadonlySet<string>,
  path: string,
): FieldError[] {
  const mounted = new Set(volumeMounts.map(({ name }) => name));
  const places = new Set(volumeMounts.map(({ mountPath }) => mountPath));
  const seen = new Set<string>();
  return gather(volumeDevices, (device, i) => {
    const errors = validatePlace(device, { seen, places }, `${path}[${i}].devicePath`);
    seen.add(device.devicePath);
    return [...validateVolume(device, { volumes, mounted }, `${path}[${i}].name`), ...errors];
  });
}

function validateVolume(
  { name }: VolumeDevice,
  { volumes, mounted }: { volumes: ReadonlySet<string>; mounted: ReadonlySet<string> },
  path: string,
): FieldError[] {
  if (!name) return [required(path)];
  if (mounted.has(name))
    return [invalidValue(path, name, 'must not already exist in volumeMounts')];
  return volumes.has(name) ? [] : [notFoundField(path, name)];
}

function validatePlace(
  { devicePath }: VolumeDevice,
  { seen, places }: { seen: ReadonlySet<string>; places: ReadonlySet<string> },
  path: string,
): FieldError[] {
  if (!devicePath) return [required(path)];
  const invalid = (why: string) => invalidValue(path, devicePath, why);
  return [
    ...(seen.has(devicePath) ? [invalid('must be unique')] : []),
    ...(places.has(devicePath)
      ? [invalid('must not already exist as a path in volumeMounts')]
      : []),
    ...(devicePath.split('/').includes('..') ? [invalid("must not contain '..'")] : []),
  ];
}
