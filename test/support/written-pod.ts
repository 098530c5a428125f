// Pods as somebody writes them, for tables of what is filled in, refused and changed: one container and what a test adds to it.
// Invariant: each call makes a pod of its own, and changes none that it is given.
import { podDefinition } from '../../api/core/pod.ts';
import type { Container, Pod, PodSpec } from '../../api/generated/types.ts';

/** A container's written form; what a test leaves out on purpose is left out. */
export type Written = { [Field in keyof Container]?: Container[Field] | undefined };

/** A pod with one container `app`, as it is before the server fills anything in. */
export function aPod(container: Written = {}, spec: Partial<PodSpec> = {}): Pod {
  const containers = [{ name: 'app', image: 'web:1', ...container } as Container];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'default' },
    spec: { containers, ...spec },
  };
}

/** The pod with its defaults filled in. */
export function defaulted(pod: Pod): Pod {
  const copy = structuredClone(pod);
  podDefinition.defaults?.(copy);
  return copy;
}

/** The rules that the pod breaks once it is filled in, each with its field; `old` makes it an update. */
export const textsOf = (pod: Pod, old?: Pod): string[] =>
  (podDefinition.validate?.(defaulted(pod), old && defaulted(old)) ?? []).map(
    ({ field, message }) => `${field}: ${message}`,
  );
