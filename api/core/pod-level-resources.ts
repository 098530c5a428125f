// Resources of a pod as a whole (KEP-2837): what may be stated, what is meant where only a part is, and how it fits its containers.
// Invariant: a pod never states less than its containers ask for together, nor a limit below one of theirs.
import type { FieldError } from '../field-error.ts';
import { invalidValue, notSupported } from '../field-error.ts';
import type { Container, PodSpec } from '../generated/types.ts';
import { parseResources, podRequests } from '../meta/pod-resources.ts';
import { compareQuantities, formatQuantity, tryParseQuantity } from '../meta/quantity.ts';
import { validateResources } from './container-validation.ts';

const SUPPORTED = /^(cpu|memory|hugepages-.+)$/;
const NAMES = ['cpu', 'hugepages-', 'memory'];

/** A pod that limits itself asks for what its containers ask for together, or for its limit where they ask for nothing. */
export function defaultPodLevelRequests(spec: PodSpec): void {
  const { resources } = spec;
  if (!resources?.limits) return;
  const together = podRequests(withoutWhole(spec));
  const missing = Object.entries(resources.limits).filter(
    ([name]) => resources.requests?.[name] === undefined,
  );
  for (const [name, limit] of missing) {
    const asked = together[name];
    resources.requests = {
      ...resources.requests,
      [name]: asked && asked.nanos > 0n ? formatQuantity(asked) : limit,
    };
  }
}

/** What is wrong with the resources of the pod as a whole. */
export function validatePodLevelResources(spec: PodSpec, path: string): FieldError[] {
  const { resources } = spec;
  if (!resources) return [];
  const at = `${path}.resources`;
  const sides = ['limits', 'requests'] as const;
  const unknown = sides.flatMap((side) =>
    Object.keys(resources[side] ?? {})
      .filter((name) => !SUPPORTED.test(name))
      .map((name) => notSupported(`${at}.${side}[${name}]`, name, NAMES)),
  );
  return [
    ...unknown,
    ...validateResources(resources, at),
    ...tooSmall(spec, at),
    ...(['containers', 'initContainers'] as const).flatMap((list) =>
      (spec[list] ?? []).flatMap((each, i) => tooLarge(each, spec, `${path}.${list}[${i}]`)),
    ),
  ];
}

function tooSmall(spec: PodSpec, at: string): FieldError[] {
  const together = podRequests(withoutWhole(spec));
  return Object.entries(parseResources(spec.resources?.requests)).flatMap(([name, amount]) => {
    const asked = together[name];
    if (!asked || compareQuantities(amount, asked) >= 0) return [];
    const why = 'must be greater than or equal to aggregate container requests';
    return [invalidValue(`${at}.requests[${name}]`, formatQuantity(amount), why)];
  });
}

function tooLarge(
  { resources }: Container,
  { resources: whole }: PodSpec,
  at: string,
): FieldError[] {
  return Object.entries(whole?.limits ?? {}).flatMap(([name, text]) => {
    const own = resources?.limits?.[name];
    const [limit, most] = [tryParseQuantity(own ?? ''), tryParseQuantity(text)];
    if (!limit || !most || compareQuantities(limit, most) <= 0) return [];
    const why = `must be less than or equal to pod limits of ${text}`;
    return [invalidValue(`${at}.resources.limits[${name}]`, own, why)];
  });
}

/** Its containers alone. */
function withoutWhole(spec: PodSpec): PodSpec {
  const { resources: _, overhead: __, ...rest } = spec;
  return rest;
}
