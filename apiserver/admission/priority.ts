// Pods get the number of their PriorityClass, and there is one class at most for pods that name none (upstream's Priority).
import type { Pod, PriorityClass } from '../../api/generated/types.ts';
import { PriorityClasses } from '../../api/kinds.ts';
import { forbidden } from '../../api/status.ts';
import { collectionPrefix, objectKey } from '../registry/keys.ts';
import type { ObjectStore } from '../watch/object-store.ts';
import { type AdmissionPlugin, type AdmissionRequest, toldName } from './admission.ts';

/** What a pod gets where no class is marked as the default. */
const NO_CLASS = { value: 0, preemptionPolicy: 'PreemptLowerPriority' };

/** The plugin. */
export function priority(store: ObjectStore): AdmissionPlugin {
  const defaults = defaultClasses(store);
  return {
    name: 'Priority',
    mutate(request) {
      const { definition, operation, subresource, object } = request;
      const { group, plural } = definition.ref;
      if (operation !== 'create' || group !== '' || plural !== 'pods' || subresource) return;
      const { spec } = object as unknown as Pod;
      if (spec) givePriority({ store, defaults }, request, spec);
    },
    validate(request) {
      const { definition, operation } = request;
      const { group, plural } = definition.ref;
      if (operation === 'delete' || group !== PriorityClasses.group) return;
      if (plural === PriorityClasses.plural) refuseSecondDefault(defaults(), request);
    },
  };
}

/** Where classes are found. */
interface Classes {
  readonly store: ObjectStore;
  readonly defaults: () => readonly PriorityClass[];
}

function givePriority(
  classes: Classes,
  request: AdmissionRequest,
  spec: NonNullable<Pod['spec']>,
): void {
  const { value = NO_CLASS.value, preemptionPolicy = NO_CLASS.preemptionPolicy } = classOf(
    classes,
    request,
    spec,
  );
  const refuse = (why: string) => forbidden(request.definition.ref, toldName(request), why);
  if (spec.priority !== undefined && spec.priority !== value) {
    throw refuse(
      `the integer value of priority (${spec.priority}) must not be provided in pod spec; ` +
        `priority admission controller computed ${value} from the given PriorityClass name`,
    );
  }
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== preemptionPolicy) {
    throw refuse(
      `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in ` +
        `pod spec; priority admission controller computed ${preemptionPolicy} from the given ` +
        'PriorityClass name',
    );
  }
  spec.priority = value;
  spec.preemptionPolicy = preemptionPolicy;
}

/** The class that the pod names, or the default one, whose name it then gets. */
function classOf(
  { store, defaults }: Classes,
  request: AdmissionRequest,
  spec: NonNullable<Pod['spec']>,
): Pick<PriorityClass, 'value' | 'preemptionPolicy'> {
  const { priorityClassName } = spec;
  if (priorityClassName) {
    const found = store.get(objectKey(PriorityClasses, '', priorityClassName));
    if (found) return found.object() as unknown as PriorityClass;
    const why = `no PriorityClass with name ${priorityClassName} was found`;
    throw forbidden(request.definition.ref, toldName(request), why);
  }
  const [lowest] = defaults();
  if (lowest === undefined) return NO_CLASS;
  spec.priorityClassName = lowest.metadata.name;
  return lowest;
}

/** The classes that are marked as the default, the lowest first; found once for as long as no class changes. */
function defaultClasses(store: ObjectStore): () => readonly PriorityClass[] {
  const prefix = collectionPrefix(PriorityClasses);
  let known: readonly PriorityClass[] | undefined;
  store.subscribe(prefix, () => (known = undefined));
  return () =>
    (known ??= store
      .list(prefix)
      .items.map((item) => item.object() as unknown as PriorityClass)
      .filter(({ globalDefault }) => globalDefault === true)
      .sort((a, b) => (a.value ?? 0) - (b.value ?? 0)));
}

function refuseSecondDefault(defaults: readonly PriorityClass[], request: AdmissionRequest): void {
  const { definition, name, object } = request;
  if (object['globalDefault'] !== true) return;
  const other = defaults.find(({ metadata }) => metadata.name !== name);
  if (other === undefined) return;
  const why =
    `PriorityClass ${other.metadata.name} is already marked as default. ` +
    'Only one default can exist';
  throw forbidden(definition.ref, name, why);
}
