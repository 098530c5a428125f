// What of a pod may still change once it exists: images, a shorter deadline, more tolerations, and little else.
// Pure; wordings are those API clients know.
import type { FieldError } from '../field-error.ts';
import { forbiddenField, invalidValue } from '../field-error.ts';
import type { Container, Pod, PodSpec, Toleration } from '../generated/types.ts';
import { sameMeaning } from '../meta/deep-equal.ts';
import { changedFields } from '../meta/field-rules.ts';
import { validateImage } from './container-validation.ts';

const MAY_CHANGE =
  'pod updates may not change fields other than `spec.containers[*].image`,' +
  '`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` ' +
  '(only additions to existing tolerations),`spec.terminationGracePeriodSeconds` ' +
  '(allow it to be set to 1 if it was previously negative)';

/** Marks the API's copy of a pod that its node runs by itself: a pod is one from the beginning, or never. */
const MIRROR_POD = 'kubernetes.io/config.mirror';

/** Rules of a write to an existing pod other than through /status, /binding or /ephemeralcontainers. */
export function validatePodUpdate(pod: Pod, old: Pod): FieldError[] {
  // A write without a spec would take all containers away.
  const spec: PodSpec = pod.spec ?? { containers: [] };
  const before = old.spec;
  if (before === undefined) return [];
  const mirror = mirrorChange(pod, old);
  if (mirror) return [forbiddenField(`metadata.annotations[${MIRROR_POD}]`, mirror)];
  const counts = [
    ...sameCount(spec.containers, before.containers, 'spec.containers'),
    ...sameCount(spec.initContainers, before.initContainers, 'spec.initContainers'),
  ];
  if (counts.length > 0) return counts;
  const errors = [
    ...images(spec.containers, 'spec.containers'),
    ...images(spec.initContainers, 'spec.initContainers'),
    ...validateDeadline(spec.activeDeadlineSeconds, before.activeDeadlineSeconds),
    ...onlyMoreTolerations(spec.tolerations ?? [], before.tolerations ?? []),
    ...onlyFewerGates(spec, before),
  ];
  const rest = frozen(spec, before);
  if (errors.length > 0 || sameMeaning(rest, before)) return errors;
  return [forbiddenField('spec', `${MAY_CHANGE}\n${changedFields(rest, before, 'spec')}`)];
}

function mirrorChange({ metadata }: Pod, old: Pod): string | undefined {
  const before = old.metadata.annotations?.[MIRROR_POD];
  if (metadata.annotations?.[MIRROR_POD] === before) return undefined;
  return `may not ${before === undefined ? 'add' : 'remove or update'} mirror pod annotation`;
}

function sameCount(
  now: readonly Container[] | undefined,
  before: readonly Container[] | undefined,
  path: string,
): FieldError[] {
  return (now ?? []).length === (before ?? []).length
    ? []
    : [forbiddenField(path, 'pod updates may not add or remove containers')];
}

function images(containers: readonly Container[] | undefined, path: string): FieldError[] {
  return (containers ?? []).flatMap((container, i) =>
    validateImage(container.image ?? '', `${path}[${i}].image`),
  );
}

/** A deadline can be set, or brought nearer. */
function validateDeadline(now: number | undefined, before: number | undefined): FieldError[] {
  const path = 'spec.activeDeadlineSeconds';
  if (before === undefined || now === before) return [];
  if (now === undefined) {
    return [invalidValue(path, null, 'must not update from a positive integer to nil value')];
  }
  return now < before
    ? []
    : [invalidValue(path, now, 'must be less than or equal to previous value')];
}

/** Old tolerations stay (their seconds may change); new ones may join. */
function onlyMoreTolerations(
  now: readonly Toleration[],
  before: readonly Toleration[],
): FieldError[] {
  const withoutSeconds = (one: Toleration) => ({ ...one, tolerationSeconds: undefined });
  const lost = before.some(
    (old) => !now.some((one) => sameMeaning(withoutSeconds(one), withoutSeconds(old))),
  );
  const why = 'existing toleration can not be modified except its tolerationSeconds';
  return lost ? [forbiddenField('spec.tolerations', why)] : [];
}

/** Gates may be lifted, never added. */
function onlyFewerGates(spec: PodSpec, before: PodSpec): FieldError[] {
  const known = new Set((before.schedulingGates ?? []).map((gate) => gate.name));
  const added = (spec.schedulingGates ?? []).some((gate) => !known.has(gate.name));
  const why = 'only deletion is allowed, but found new scheduling gates';
  return added ? [forbiddenField('spec.schedulingGates', why)] : [];
}

/** The new spec with all that may change set back: equal to the old one if nothing else changed. */
function frozen(spec: PodSpec, before: PodSpec): PodSpec {
  const grace = before.terminationGracePeriodSeconds ?? 0;
  const mended = grace < 0 && spec.terminationGracePeriodSeconds === 1;
  // A pod that waits behind gates can still be narrowed to fewer nodes.
  const gated = (before.schedulingGates ?? []).length > 0 && keepsSelector(spec, before);
  return {
    ...spec,
    containers: withImages(spec.containers, before.containers) ?? [],
    initContainers: withImages(spec.initContainers, before.initContainers),
    activeDeadlineSeconds: before.activeDeadlineSeconds,
    tolerations: before.tolerations,
    schedulingGates: before.schedulingGates,
    ...(mended ? { terminationGracePeriodSeconds: grace } : {}),
    ...(gated ? { nodeSelector: before.nodeSelector } : {}),
  };
}

function keepsSelector(spec: PodSpec, before: PodSpec): boolean {
  return Object.entries(before.nodeSelector ?? {}).every(
    ([key, value]) => spec.nodeSelector?.[key] === value,
  );
}

function withImages(
  now: readonly Container[] | undefined,
  before: readonly Container[] | undefined,
): Container[] | undefined {
  return now?.map((container, i) => ({ ...container, image: before?.[i]?.image }));
}
