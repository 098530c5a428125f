// Taints and tolerations: which pods stand which nodes. Shared by the scheduler and by eviction.
// The rules are those of the Kubernetes docs, Taints and Tolerations.
import type { Taint, Toleration } from '../generated/types.ts';

/** Does the toleration cover the taint? An empty key with Exists covers all, an empty effect every effect. */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
  const { key, operator, effect, value } = toleration;
  if (effect && effect !== taint.effect) return false;
  if (key && key !== taint.key) return false;
  if (operator === 'Exists') return true;
  // A toleration without a key must say Exists.
  if (!key) return false;
  return (value ?? '') === (taint.value ?? '');
}

/** The taints that no toleration covers, in their order. */
export function untolerated(
  taints: readonly Taint[] | undefined,
  tolerations: readonly Toleration[] | undefined,
): Taint[] {
  return (taints ?? []).filter(
    (taint) => !(tolerations ?? []).some((toleration) => tolerates(toleration, taint)),
  );
}
