// The hash of a pod template, which names its ReplicaSet and marks its pods. Pure.
// Invariant: equal templates have equal hashes, whatever the order of their fields; collisions are told apart by a count.
import type { PodTemplateSpec } from '../../api/generated/types.ts';
import { deepEqual } from '../../api/meta/deep-equal.ts';

/** The label that carries the hash, on ReplicaSets, their selectors and their pods. */
export const TEMPLATE_HASH = 'pod-template-hash';

/** Letters and digits that spell no words and are not mistaken for each other. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** A stable text of at most 10 letters and digits. */
export function templateHash(template: PodTemplateSpec, collisionCount = 0): string {
  let hash = FNV_OFFSET;
  const text = canonical(template) + (collisionCount > 0 ? `#${collisionCount}` : '');
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, FNV_PRIME) >>> 0;
  return Array.from(String(hash), (digit) => ALPHABET[digit.charCodeAt(0) % ALPHABET.length]).join(
    '',
  );
}

/** Do the templates make the same pods, their hashes apart? */
export function sameTemplate(
  a: PodTemplateSpec | undefined,
  b: PodTemplateSpec | undefined,
): boolean {
  return deepEqual(withoutHash(a), withoutHash(b));
}

function withoutHash(template: PodTemplateSpec | undefined): PodTemplateSpec {
  const { [TEMPLATE_HASH]: _, ...labels } = template?.metadata?.labels ?? {};
  const { creationTimestamp: _time, ...metadata } = template?.metadata ?? {};
  return { ...template, metadata: { ...metadata, labels } };
}

/** JSON with the fields of each object in order, and nothing that is absent. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined && field !== null)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${canonical(field)}`).join()}}`;
}
