// Rules of where containers mount volumes: names, places, parts, and which mounts they may share with the host.
// Wordings are those API clients know.
import { gather } from '../../base/gather.ts';
import type { FieldError } from '../field-error.ts';
import { forbiddenField, invalidValue, notFoundField, required } from '../field-error.ts';
import type { Container, VolumeMount } from '../generated/types.ts';
import { oneOf } from '../meta/numbers.ts';
import { localPath } from './volume-validation.ts';

const PROPAGATIONS = ['Bidirectional', 'HostToContainer', 'None'];
const RECURSIVE_READ_ONLY = ['Disabled', 'Enabled', 'IfPossible'];

/** Rules of a container's mounts; `volumes` are those that the pod has. */
export function validateMounts(
  container: Container,
  volumes: ReadonlySet<string>,
  path: string,
): FieldError[] {
  const places = new Set<string>();
  const privileged = container.securityContext?.privileged === true;
  return gather(container.volumeMounts, (mount, i) => {
    const at = `${path}[${i}]`;
    const errors: FieldError[] = [];
    if (!mount.name) errors.push(required(`${at}.name`));
    else if (!volumes.has(mount.name)) errors.push(notFoundField(`${at}.name`, mount.name));
    if (!mount.mountPath) errors.push(required(`${at}.mountPath`));
    else if (places.has(mount.mountPath))
      errors.push(invalidValue(`${at}.mountPath`, mount.mountPath, 'must be unique'));
    places.add(mount.mountPath);
    return [
      ...errors,
      ...validatePart(mount, at),
      ...validatePropagation(mount, privileged, `${at}.mountPropagation`),
      ...validateRecursion(mount, `${at}.recursiveReadOnly`),
    ];
  });
}

function validatePart({ subPath, subPathExpr }: VolumeMount, path: string): FieldError[] {
  return [
    ...(subPath ? localPath(subPath, `${path}.subPath`) : []),
    ...(subPathExpr ? localPath(subPathExpr, `${path}.subPathExpr`) : []),
    ...(subPath && subPathExpr
      ? [
          invalidValue(
            `${path}.subPathExpr`,
            subPathExpr,
            'subPathExpr and subPath are mutually exclusive',
          ),
        ]
      : []),
  ];
}

function validatePropagation(
  { mountPropagation }: VolumeMount,
  privileged: boolean,
  path: string,
): FieldError[] {
  if (mountPropagation !== 'Bidirectional' || privileged)
    return oneOf(mountPropagation, PROPAGATIONS, path);
  const why = 'Bidirectional mount propagation is available only to privileged containers';
  return [forbiddenField(path, why)];
}

/** What lies below a mount can be made read-only only where it is, and where nothing new appears there. */
function validateRecursion(mount: VolumeMount, path: string): FieldError[] {
  const { recursiveReadOnly: asked, readOnly, mountPropagation = 'None' } = mount;
  const errors = oneOf(asked, RECURSIVE_READ_ONLY, path);
  if (errors.length > 0 || asked === undefined || asked === 'Disabled') return errors;
  return [
    ...(readOnly ? [] : [forbiddenField(path, 'may only be specified when readOnly is true')]),
    ...(mountPropagation === 'None'
      ? []
      : [
          forbiddenField(
            path,
            'may only be specified when mountPropagation is None or not specified',
          ),
        ]),
  ];
}
