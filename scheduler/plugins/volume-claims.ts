// Pods wait for the claims that their volumes stand for: no node is looked for while one is missing or going.
// Pure. Claims that are there count whether they are bound or not: nothing binds them yet.
import type { PersistentVolumeClaim, Pod } from '../../api/generated/types.ts';

interface NamedClaim {
  readonly name: string;
  /** Made by a controller for this pod alone. */
  readonly ephemeral: boolean;
}

/** The claims that a pod's volumes stand for. */
export function claimsOf({ metadata, spec }: Pod): NamedClaim[] {
  return (spec?.volumes ?? []).flatMap<NamedClaim>(({ name, persistentVolumeClaim, ephemeral }) => {
    if (persistentVolumeClaim) return [{ name: persistentVolumeClaim.claimName, ephemeral: false }];
    return ephemeral ? [{ name: `${metadata.name ?? ''}-${name}`, ephemeral: true }] : [];
  });
}

/** Why no node can take the pod, whatever room it has, in upstream's words; undefined where its claims are there. */
export function claimRefusal(
  pod: Pod,
  find: (name: string) => PersistentVolumeClaim | undefined,
): string | undefined {
  for (const { name, ephemeral } of claimsOf(pod)) {
    const claim = find(name);
    const what = `persistentvolumeclaim "${name}"`;
    if (claim === undefined && ephemeral)
      return `waiting for ephemeral volume controller to create the ${what}`;
    if (claim === undefined) return `${what} not found`;
    if (claim.metadata.deletionTimestamp !== undefined) return `${what} is being deleted`;
  }
  return undefined;
}
