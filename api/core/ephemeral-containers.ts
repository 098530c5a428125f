// Ephemeral containers, which join a pod that is there to look into it: the only way to them is pods/NAME/ephemeralcontainers.
// Invariant: they are added, never changed or taken away, and nothing else of the pod changes along with them.
import type { PartRules } from '../definition.ts';
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  notFoundField,
  required,
} from '../field-error.ts';
import type { Container, EphemeralContainer, Pod, PodSpec } from '../generated/types.ts';
import { sameMeaning } from '../meta/deep-equal.ts';
import { dnsLabel } from '../meta/names.ts';
import { validateContainer } from './container-validation.ts';
import { keepOldMeta } from './pod-parts.ts';

const PATH = 'spec.ephemeralContainers';
/** What they may say. A pod must not come to rest on them: no ports, probes, resources, hooks. */
const MAY_HAVE: ReadonlySet<string> = new Set([
  'args',
  'command',
  'env',
  'envFrom',
  'image',
  'imagePullPolicy',
  'name',
  'securityContext',
  'stdin',
  'stdinOnce',
  'targetContainerName',
  'terminationMessagePath',
  'terminationMessagePolicy',
  'tty',
  'volumeDevices',
  'volumeMounts',
  'workingDir',
]);
const NOT_HERE = 'cannot be set for an Ephemeral Container';

/** The rules of a write through /ephemeralcontainers. */
export const ephemeralContainersPart: PartRules<Pod> = {
  prepareForUpdate(pod, old) {
    const wanted = pod.spec?.ephemeralContainers ?? [];
    keepOldMeta(pod, old);
    const { ephemeralContainers: _, ...spec } = structuredClone(old.spec) as PodSpec;
    pod.spec = wanted.length === 0 ? spec : { ...spec, ephemeralContainers: wanted };
  },
  validate(pod, old) {
    const spec = pod.spec as PodSpec;
    return [
      ...validateEphemeralContainers(spec),
      ...onlyMore(spec.ephemeralContainers ?? [], old.spec?.ephemeralContainers ?? []),
    ];
  },
};

function validateEphemeralContainers(spec: PodSpec): FieldError[] {
  const others = [...spec.containers, ...(spec.initContainers ?? [])].map(({ name }) => name);
  const names = new Set(others);
  const volumes = new Set((spec.volumes ?? []).map((volume) => volume.name));
  return (spec.ephemeralContainers ?? []).flatMap((container, i) => {
    const at = `${PATH}[${i}]`;
    const { name, targetContainerName: target } = container;
    const errors = [
      ...validateName(name, names, `${at}.name`),
      ...validateContainer(container as Container, volumes, at),
      ...validateFields(container, at),
    ];
    names.add(name);
    if (!target || others.includes(target)) return errors;
    return [...errors, notFoundField(`${at}.targetContainerName`, target)];
  });
}

function validateName(name: string, taken: ReadonlySet<string>, path: string): FieldError[] {
  if (name === '') return [required(path)];
  const why = dnsLabel(name);
  if (why !== undefined) return [invalidValue(path, name, why)];
  return taken.has(name) ? [duplicate(path, name)] : [];
}

function validateFields(container: EphemeralContainer, path: string): FieldError[] {
  const isSet = (value: unknown) =>
    value !== undefined && value !== null && (typeof value !== 'object' || hasParts(value));
  const unfit = Object.entries(container)
    .filter(([field, value]) => !MAY_HAVE.has(field) && isSet(value))
    .map(([field]) => `${path}.${field}`);
  const parts = (container.volumeMounts ?? []).flatMap((mount, i) =>
    (['subPath', 'subPathExpr'] as const)
      .filter((field) => mount[field])
      .map((field) => `${path}.volumeMounts[${i}].${field}`),
  );
  return [...unfit, ...parts].map((field) => forbiddenField(field, NOT_HERE));
}

const hasParts = (value: object): boolean => Object.keys(value).length > 0;

function onlyMore(
  now: readonly EphemeralContainer[],
  before: readonly EphemeralContainer[],
): FieldError[] {
  const byName = new Map(now.map((container) => [container.name, container]));
  return before.flatMap((old) => {
    const same = byName.get(old.name);
    if (same && sameMeaning(same, old)) return [];
    const may = same ? 'changed' : 'removed';
    return [forbiddenField(PATH, `existing ephemeral containers "${old.name}" may not be ${may}`)];
  });
}
