// What autoscalers may scale: every kind that has a scale subresource. Reads and writes that subresource.
// Invariant: a size is written on the state that was read, so that two writers cannot undo each other unseen.
import type {
  CrossVersionObjectReferenceV2,
  CustomResourceDefinition,
  Scale,
} from '../../api/generated/types.ts';
import type { KindRef } from '../../api/kind-ref.ts';
import { apiVersionOf } from '../../api/kind-ref.ts';
import { builtInDefinitions } from '../../api/scheme.ts';
import { isConflict } from '../../api/status.ts';
import type { Client } from '../../client/rest/client.ts';
import { customKind } from '../framework/custom-kinds.ts';

/** The kind a reference means, if it can be scaled: a built-in one, or one of these definitions. */
export function scalableKind(
  { apiVersion = '', kind }: CrossVersionObjectReferenceV2,
  definitions: readonly CustomResourceDefinition[],
): KindRef<Scale> | undefined {
  const builtIn = builtInDefinitions.find(
    ({ ref, scale }) => scale && ref.kind === kind && apiVersionOf(ref) === apiVersion,
  );
  const found =
    builtIn?.ref ??
    definitions.map((each) => scalableVersion(each, apiVersion)).find((ref) => ref?.kind === kind);
  // Typed as what the subresource answers.
  return found as KindRef<Scale> | undefined;
}

/** The kind of an object that a metric describes: a built-in one, or one of these definitions. */
export function describedKind(
  { apiVersion = '', kind }: CrossVersionObjectReferenceV2,
  definitions: readonly CustomResourceDefinition[],
): KindRef | undefined {
  const slash = apiVersion.indexOf('/');
  const group = slash < 0 ? '' : apiVersion.slice(0, slash);
  return [...builtInDefinitions.map(({ ref }) => ref), ...definitions.map(customKind)].find(
    (ref) => ref?.kind === kind && ref.group === group,
  );
}

function scalableVersion(
  definition: CustomResourceDefinition,
  apiVersion: string,
): KindRef | undefined {
  const ref = customKind(definition);
  const version = definition.spec.versions.find(
    ({ name, served, subresources }) =>
      served && subresources?.scale && `${definition.spec.group}/${name}` === apiVersion,
  );
  return ref && version && { ...ref, version: version.name };
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

/** How often a size is written anew when the target was changed meanwhile in other ways. */
const MAX_WRITES = 5;

/**
 * Asks for another size. A target that changed since it was read is read again: where its size is what it was, the
 * decision still holds. Throws StatusError, Conflict where the size was changed by somebody else.
 */
export async function writeScale(
  client: Client,
  ref: KindRef<Scale>,
  { scale, replicas }: { readonly scale: Scale; readonly replicas: number },
): Promise<Scale> {
  const { namespace = '', name = '' } = scale.metadata;
  let current = scale;
  for (let attempt = 1; ; attempt++) {
    const next = { ...current, spec: { ...current.spec, replicas } };
    try {
      return await client.resource(ref).update(next, { subresource: 'scale' });
    } catch (error) {
      if (!isConflict(error) || attempt >= MAX_WRITES) throw error;
      current = await readScale(client, namespace, { ref, name });
      const same =
        current.metadata.uid === scale.metadata.uid &&
        current.spec?.replicas === scale.spec?.replicas;
      if (!same) throw error;
    }
  }
}
