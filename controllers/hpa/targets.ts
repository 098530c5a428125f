// What autoscalers may scale: every kind that has a scale subresource. Reads and writes that subresource.
// Invariant: a size is written on the state that was read, so that two writers cannot undo each other unseen.
import type { Scale } from '../../api/generated/types.ts';
import type { CrossVersionObjectReferenceV2 } from '../../api/generated/types.ts';
import type { KindRef } from '../../api/kind-ref.ts';
import { apiVersionOf } from '../../api/kind-ref.ts';
import { builtInDefinitions } from '../../api/scheme.ts';
import type { Client } from '../../client/rest/client.ts';

/** The kind a reference means, if it can be scaled. */
export function scalableKind({
  apiVersion = '',
  kind,
}: CrossVersionObjectReferenceV2): KindRef<Scale> | undefined {
  const found = builtInDefinitions.find(
    ({ ref, scale }) => scale && ref.kind === kind && apiVersionOf(ref) === apiVersion,
  );
  // Typed as what the subresource answers.
  return found?.ref as KindRef<Scale> | undefined;
}

/** The target's scale. Throws StatusError; NotFound where there is no such target. */
export function readScale(
  client: Client,
  namespace: string,
  target: { readonly ref: KindRef<Scale>; readonly name: string },
): Promise<Scale> {
  const { ref, name } = target;
  return client.resource(ref).get({ namespace, name }, { subresource: 'scale' });
}

/** Asks for another size. Throws Conflict when the target changed since it was read. */
export function writeScale(
  client: Client,
  ref: KindRef<Scale>,
  { scale, replicas }: { readonly scale: Scale; readonly replicas: number },
): Promise<Scale> {
  const next = { ...scale, spec: { ...scale.spec, replicas } };
  return client.resource(ref).update(next, { subresource: 'scale' });
}
