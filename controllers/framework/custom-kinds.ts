// The kinds that users defined, as controllers of every kind need them: which there are now, and when they come and go.
// Invariant: a kind is named in a version that is served; each that came is told gone at most once.
import { apiVersionOf, type KindRef } from '../../api/kind-ref.ts';
import type { CustomResourceDefinition } from '../../api/generated/types.ts';
import { isConditionTrue } from '../../api/meta/conditions.ts';
import type { Informer } from '../../client/informer/informer.ts';

/** The kind of a definition, once it is served. */
export function customKind({ spec, status }: CustomResourceDefinition): KindRef | undefined {
  const served = spec.versions.find((version) => version.served);
  if (!served || !isConditionTrue(status?.conditions, 'Established')) return undefined;
  const { kind, plural } = status?.acceptedNames ?? spec.names;
  const namespaced = spec.scope === 'Namespaced';
  return { group: spec.group, version: served.name, kind, plural, namespaced };
}

/** Calls `onKind` for each kind that is there and that comes; what it answers is called when the kind has gone. */
export function followCustomKinds(
  definitions: Informer<CustomResourceDefinition>,
  onKind: (ref: KindRef) => () => void,
): void {
  const known = new Map<string, { readonly id: string; readonly gone: () => void }>();
  const settle = (name: string, ref: KindRef | undefined) => {
    const before = known.get(name);
    const id = ref && `${apiVersionOf(ref)}/${ref.plural}/${ref.kind}`;
    if (before?.id === id) return;
    known.delete(name);
    before?.gone();
    if (ref && id) known.set(name, { id, gone: onKind(ref) });
  };
  const changed = (crd: CustomResourceDefinition) =>
    settle(crd.metadata.name ?? '', customKind(crd));
  definitions.subscribe({
    onAdd: changed,
    onUpdate: changed,
    onDelete: ({ metadata }) => settle(metadata.name ?? '', undefined),
  });
}
