// Resizing a pod where it runs (KEP-1287, and KEP-5419 for the pod as a whole): the only way to its resources is pods/NAME/resize.
// Invariants: CPU and memory change and nothing else; the pod stays in its quality-of-service class.
import type { PartRules } from '../definition.ts';
import { type FieldError, forbiddenField, invalidValue } from '../field-error.ts';
import type { Container, Pod, PodSpec } from '../generated/types.ts';
import { sameMeaning } from '../meta/deep-equal.ts';
import { qosClassOf } from '../meta/pod-resources.ts';
import { validateResources } from './container-validation.ts';
import { validatePodLevelResources } from './pod-level-resources.ts';
import { keepOldMeta } from './pod-parts.ts';

const LISTS = ['containers', 'initContainers'] as const;
const SIDES = ['limits', 'requests'] as const;
const RESIZABLE = ['cpu', 'memory'] as const;

/** The rules of a write through /resize. */
export const resizePart: PartRules<Pod> = {
  prepareForUpdate(pod, old) {
    const wanted = pod.spec;
    keepOldMeta(pod, old);
    pod.spec = structuredClone(old.spec) as PodSpec;
    for (const list of LISTS) {
      const asked = wanted?.[list] ?? [];
      const present = pod.spec[list] ?? [];
      // Lists that do not match are left for validation to refuse.
      if (!sameNames(asked, present)) pod.spec[list] = asked;
      else present.forEach((container, i) => takeResources(container, asked[i]));
    }
    if (wanted?.resources) pod.spec.resources = wanted.resources;
    else delete pod.spec.resources;
  },
  validate(pod, old) {
    const [spec, before] = [pod.spec as PodSpec, old.spec as PodSpec];
    const moved = LISTS.flatMap((list) => sameContainers(spec[list], before[list], `spec.${list}`));
    if (moved.length > 0) return moved;
    const errors = [
      ...LISTS.flatMap((list) => resizedList(spec, before, list)),
      ...resizedWhole(spec, before),
    ];
    const now = qosClassOf(spec);
    if (now !== (old.status?.qosClass ?? qosClassOf(before))) {
      const why = 'Pod QOS Class may not change as a result of resizing';
      errors.push(invalidValue('spec', now, why));
    }
    if (errors.length > 0 || sameMeaning(unsized(spec), unsized(before))) return errors;
    return [forbiddenField('spec', 'only cpu and memory resources are mutable')];
  },
};

type Named = readonly Container[] | undefined;

const sameNames = (now: Named = [], before: Named = []): boolean =>
  now.length === before.length && now.every(({ name }, i) => name === before[i]?.name);

function takeResources(container: Container, asked: Container | undefined): void {
  for (const field of ['resources', 'resizePolicy'] as const) {
    if (asked?.[field] === undefined) delete container[field];
    else Object.assign(container, { [field]: asked[field] });
  }
}

function sameContainers(now: Named = [], before: Named = [], path: string): FieldError[] {
  if (now.length !== before.length)
    return [forbiddenField(path, 'containers may not be added or removed on resize')];
  if (sameNames(now, before)) return [];
  return [forbiddenField(path, 'containers may not be renamed or reordered on resize')];
}

function resizedList(spec: PodSpec, before: PodSpec, list: (typeof LISTS)[number]): FieldError[] {
  return (spec[list] ?? []).flatMap((container, i) => {
    const path = `spec.${list}[${i}].resources`;
    const [now, old] = [container.resources ?? {}, before[list]?.[i]?.resources ?? {}];
    const runsOnce = list === 'initContainers' && container.restartPolicy !== 'Always';
    if (runsOnce)
      return sameMeaning(now, old)
        ? []
        : [forbiddenField(path, 'resources for non-sidecar init containers are immutable')];
    return [...validateResources(now, path), ...lostAmounts(now, old, path)];
  });
}

type Amounts = Pick<NonNullable<Container['resources']>, (typeof SIDES)[number]>;

function lostAmounts(now: Amounts, old: Amounts, path: string): FieldError[] {
  const lost = SIDES.filter((side) =>
    RESIZABLE.some((name) => old[side]?.[name] !== undefined && now[side]?.[name] === undefined),
  );
  return lost.map((side) =>
    forbiddenField(`${path}.${side}`, `resource ${side} cannot be removed`),
  );
}

/** Of the pod as a whole: what it states from the start may change, and nothing more is stated. */
function resizedWhole(spec: PodSpec, { resources: old }: PodSpec): FieldError[] {
  const { resources: now } = spec;
  const path = 'spec.resources';
  if (!old) return now ? [forbiddenField(path, 'pod-level resources cannot be added')] : [];
  return [...validatePodLevelResources(spec, 'spec'), ...lostAmounts(now ?? {}, old, path)];
}

/** The spec without what a resize may change. */
function unsized(spec: PodSpec): PodSpec {
  const without = (amounts: Record<string, string> | undefined) =>
    Object.fromEntries(
      Object.entries(amounts ?? {}).filter(([name]) => !RESIZABLE.some((each) => each === name)),
    );
  const rest = ({ limits, requests, ...others }: NonNullable<Container['resources']>) => ({
    ...others,
    limits: without(limits),
    requests: without(requests),
  });
  const stripped = (containers: Named) =>
    (containers ?? []).map((container) => ({
      ...container,
      resources: rest(container.resources ?? {}),
    }));
  return {
    ...spec,
    ...(spec.resources && { resources: rest(spec.resources) }),
    containers: stripped(spec.containers),
    initContainers: stripped(spec.initContainers),
  };
}
