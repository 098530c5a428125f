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
  return {
    name: 'Priority',
    mutate(request) {
      const { definition, operation, subresource, object } = request;
      const { group, plural } = definition.ref;
      if (operation !== 'create' || group !== '' || plural !== 'pods' || subresource) return;
      const { spec } = object as unknown as Pod;
      if (spec) givePriority(store, request, spec);
    },
    validate(request) {
      const { definition, operation } = request;
      const { group, plural } = definition.ref;
      if (operation === 'delete' || group !== PriorityClasses.group) return;
      if (plural === PriorityClasses.plural) refuseSecondDefault(store, request);
    },
  };
}

function givePriority(
  store: ObjectStore,
  request: AdmissionRequest,
  spec: NonNullable<Pod['spec']>,
): void {
  const { value = NO_CLASS.value, preemptionPolicy = NO_CLASS.preemptionPolicy } = classOf(
    store,
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
  store: ObjectStore,
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
  const [lowest] = defaultClasses(store).toSorted((a, b) => (a.value ?? 0) - (b.value ?? 0));
  if (lowest === undefined) return NO_CLASS;
  spec.priorityClassName = lowest.metadata.name;
  return lowest;
}

function defaultClasses(store: ObjectStore): PriorityClass[] {
  return store
    .list(collectionPrefix(PriorityClasses))
    .items.map((item) => item.object() as unknown as PriorityClass)
    .filter(({ globalDefault }) => globalDefault === true);
}

function refuseSecondDefault(store: ObjectStore, request: AdmissionRequest): void {
  const { definition, name, object } = request;
  if (object['globalDefault'] !== true) return;
  const other = defaultClasses(store).find(({ metadata }) => metadata.name !== name);
  if (other === undefined) return;
  const why =
    `PriorityClass ${other.metadata.name} is already marked as default. ` +
    'Only one default can exist';
  throw forbidden(definition.ref, name, why);
}
