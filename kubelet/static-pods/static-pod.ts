// The pod of a manifest as its node runs it: decoded, defaulted and checked as the API server would, and marked as upstream marks it.
// Loaded only where there are static pods: it brings the API's schemas and a YAML reader.
// Invariant: the same text on the same node is the same pod; another text is another one.
import { createHash } from 'node:crypto';
import { podDefinition } from '../../api/core/pod.ts';
import { referencedBy } from '../../api/core/pod-references.ts';
import type { Pod, PodSpec, Toleration } from '../../api/generated/types.ts';
import { dnsLabel, dnsSubdomain } from '../../api/meta/names.ts';
import { formatTime } from '../../api/meta/time.ts';
import { decodeAsKind } from '../../api/object-type.ts';
import { parseManifest } from '../../api/wire/manifest.ts';
import { CONFIG_SOURCE } from '../eviction/critical-pods.ts';

/** Annotation: what tells a static pod from its predecessors. It is the pod's uid on the node. */
export const CONFIG_HASH = 'kubernetes.io/config.hash';
const CONFIG_SEEN = 'kubernetes.io/config.seen';

/** Where a manifest was found. */
export interface ManifestPlace {
  readonly file: string;
  readonly nodeName: string;
  readonly nowMs: number;
}

/** The pod of a text. Throws an Error that says what is wrong with it. */
export function staticPodOf(text: string, place: ManifestPlace): Pod {
  const value = onlyPodIn(text, place.file);
  const pod = decodeAsKind(podDefinition, value).object as unknown as Pod;
  pod.metadata ??= {};
  mark(pod, text, place);
  const { metadata, spec } = pod;
  const why = dnsSubdomain(metadata.name ?? '');
  if (why !== undefined) throw new Error(`metadata.name: ${why}`);
  const whyNot = dnsLabel(metadata.namespace ?? '');
  if (whyNot !== undefined) throw new Error(`metadata.namespace: ${whyNot}`);
  if (!spec) throw new Error('spec is missing');
  spec.nodeName = place.nodeName;
  spec.tolerations = [...(spec.tolerations ?? []), ...standing(spec)];
  podDefinition.defaults?.(pod);
  Object.assign(spec, systemPriorityOf(spec));
  podDefinition.prepareForCreate?.(pod);
  const [error] = podDefinition.validate?.(pod, undefined) ?? [];
  if (error) throw new Error(`${error.field}: ${error.message}`);
  const named = referencedBy(spec);
  if (named !== undefined) throw new Error(`a static pod may not reference ${named}`);
  return pod;
}

function onlyPodIn(text: string, file: string): unknown {
  const [first, ...others] = parseManifest(text, file);
  if (!first) throw new Error('it is empty');
  if (first.kind === 'broken') throw new Error(first.problem);
  if (others.length > 0) throw new Error('it holds more than one object; a file holds one pod');
  const { apiVersion, kind } = first.object;
  if (apiVersion !== 'v1' || kind !== 'Pod')
    throw new Error(`it holds a ${kind} of ${apiVersion}, and not a Pod of v1`);
  return first.object;
}

function mark({ metadata }: Pod, text: string, { file, nodeName, nowMs }: ManifestPlace): void {
  if (!metadata.name) throw new Error('metadata.name is missing');
  const hash = createHash('sha256').update(`${nodeName}\0${file}\0${text}`).digest('hex');
  metadata.uid = hash.slice(0, 32);
  metadata.name = `${metadata.name}-${nodeName.toLowerCase()}`;
  metadata.namespace ||= 'default';
  metadata.annotations = {
    ...metadata.annotations,
    [CONFIG_HASH]: metadata.uid,
    [CONFIG_SEEN]: formatTime(nowMs),
    [CONFIG_SOURCE]: 'file',
  };
}

/** It stays on its node whatever befalls that. */
function standing({ tolerations = [] }: PodSpec): Toleration[] {
  const own = { operator: 'Exists', effect: 'NoExecute' } as const;
  const has = tolerations.some(
    (each) => each.operator === own.operator && each.effect === own.effect && !each.key,
  );
  return has ? [] : [own];
}

/** The classes that every cluster has; nobody else's are known here. */
function systemPriorityOf({ priorityClassName }: PodSpec): Pick<PodSpec, 'priority'> {
  if (priorityClassName === 'system-node-critical') return { priority: 2_000_001_000 };
  return priorityClassName === 'system-cluster-critical' ? { priority: 2_000_000_000 } : {};
}
