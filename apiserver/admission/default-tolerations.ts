// Pods stand a node that is away for five minutes unless they say otherwise (upstream's DefaultTolerationSeconds).
import type { Pod, Toleration } from '../../api/generated/types.ts';
import type { AdmissionPlugin } from './admission.ts';

const SECONDS = 300;
const TAINTS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];

/** The plugin. */
export const defaultTolerations: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  mutate({ operation, definition, subresource, object }) {
    if (operation !== 'create' || definition.ref.plural !== 'pods' || subresource) return;
    const spec = (object as unknown as Pod).spec;
    if (!spec) return;
    const tolerations = spec.tolerations ?? [];
    for (const key of TAINTS)
      if (!tolerations.some((toleration) => covers(toleration, key)))
        tolerations.push({
          key,
          operator: 'Exists',
          effect: 'NoExecute',
          tolerationSeconds: SECONDS,
        });
    spec.tolerations = tolerations;
  },
};

function covers(toleration: Toleration, key: string): boolean {
  const effect =
    toleration.effect === undefined ||
    toleration.effect === '' ||
    toleration.effect === 'NoExecute';
  return (
    effect && (toleration.key === key || toleration.key === undefined || toleration.key === '')
  );
}
