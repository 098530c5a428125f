// Server-side apply itself: a configuration laid over the live object, what its writer no longer applies taken out, and
// the owners afterwards. Rules: Kubernetes' documents on server-side apply.
// Invariant: pure; nothing that another owner has is changed without force, and nothing that one has is taken out.
import type { Comparison } from '../../api/fieldset/compare.ts';
import {
  difference,
  EMPTY_SET,
  type FieldSet,
  intersection,
  isEmptySet,
  union,
} from '../../api/fieldset/field-set.ts';
import { merge, withoutFields } from '../../api/fieldset/merge.ts';
import type { MergeType } from '../../api/fieldset/merge-type.ts';
import { toFieldSet, withNamedFields } from '../../api/fieldset/to-field-set.ts';
import { deepEqual } from '../../api/meta/deep-equal.ts';
import type { LooseObject, ManagedFieldsEntry } from '../../api/meta/object.ts';
import { withFewUpdaters } from './cap-updaters.ts';
import { applyConflict, type Conflict, withoutAllowed } from './conflicts.ts';
import { fieldsOfLastApplied, withNewLastApplied } from './last-applied.ts';
import {
  compareObjects,
  type KindView,
  UNOWNED,
  viewOf,
  within,
  withoutOwners,
} from './object-views.ts';
import { entriesOf, isSameOwner, type Owner, type OwnerName, storedOwners } from './owners.ts';
import { comparisonsOf, type Writer } from './track-write.ts';
import { withoutNulls } from './without-nulls.ts';

/** The owner of what was there before anybody kept owners. */
const BEFORE_FIRST_APPLY = 'before-first-apply';
/** The applier that takes turns with kubectl's client-side apply. */
const KUBECTL = 'kubectl';

/** What is applied to what. */
export interface ApplyRequest {
  readonly writer: Writer;
  /** The stored object; none where the apply makes it. */
  readonly live: LooseObject | undefined;
  /** In the version of the request; nulls stand in it where they were sent. */
  readonly config: LooseObject;
  /** Takes over what others own. */
  readonly force: boolean;
}

/** What an apply comes to. */
export interface Applied {
  /** In the version of the request, without owners and without nulls; shares parts with what it is made of. */
  readonly object: LooseObject;
  readonly owners: readonly ManagedFieldsEntry[] | undefined;
}

/** Applies. Throws Conflict where others own what would change, FieldSetError where a list's items have no identity,
 * and what a conversion throws. */
export async function applyConfig(request: ApplyRequest): Promise<Applied> {
  const { writer, live, config, force } = request;
  const plan = await planApply(request);
  if (!force && plan.conflicts.length > 0) {
    const allowed =
      writer.manager === KUBECTL ? fieldsOfLastApplied(viewOf(writer.definition), live) : EMPTY_SET;
    const left = withoutAllowed(plan.conflicts, allowed);
    if (left.length > 0) throw applyConflict(left);
  }
  const object = withoutNulls(plan.object) as LooseObject;
  return {
    object: writer.manager === KUBECTL ? withNewLastApplied(object, config) : object,
    owners: entriesOf(plan.owners),
  };
}

interface Plan {
  readonly object: LooseObject;
  /** As they are once the conflicts are won. */
  readonly owners: readonly Owner[];
  readonly conflicts: readonly Conflict[];
}

async function planApply({ writer, live, config }: ApplyRequest): Promise<Plan> {
  const view = viewOf(writer.definition);
  const { apiVersion, type } = view;
  const name: OwnerName = { ...writerName(writer), operation: 'Apply', apiVersion };
  const before = live ? ownersBefore(writer, view, live) : [];
  const last = before.find((owner) => isSameOwner(owner, name));
  const others = before.filter((owner) => owner !== last);
  const fields = within(difference(toFieldSet(type, config), UNOWNED), writer.written);
  const shown = live ? withoutOwners(view.show(live)) : bareObject(config);
  const merged = merge(type, shown, config) as LooseObject;
  const owned = [...others.map((owner) => owner.fields), fields].reduce(union, UNOWNED);
  // Who applies all that it applied before takes nothing out; to find that out by pruning costs more than all the rest.
  const lessens = last !== undefined && !isEmptySet(difference(last.fields, fields));
  const object = lessens ? prune(type, merged, { last: last.fields, owned }) : merged;
  const compared = await comparisonsOf(
    writer,
    { before: live, after: storedForm(writer, object, live) },
    others.map((owner) => owner.apiVersion),
  );
  const same = live !== undefined && deepEqual(shown, object);
  const self: Owner = { ...name, fields, time: same ? last?.time : writer.now };
  const { left, conflicts } = contested(others, compared);
  return { object, conflicts, owners: [...left, self] };
}

function writerName({ manager, subresource }: Writer): Pick<OwnerName, 'manager' | 'subresource'> {
  return { manager, subresource };
}

/** The owners there are; for an object that has none, somebody who owns all that is there. */
function ownersBefore(writer: Writer, view: KindView, live: LooseObject): readonly Owner[] {
  const stored = storedOwners(live.metadata.managedFields);
  if (stored.length > 0) return stored;
  const { changed } = compareObjects(view, { after: live, written: writer.written });
  if (isEmptySet(changed)) return [];
  const { apiVersion } = view;
  const name: OwnerName = {
    ...writerName(writer),
    manager: BEFORE_FIRST_APPLY,
    operation: 'Update',
    apiVersion,
  };
  return withFewUpdaters([{ ...name, time: writer.now, fields: changed }]);
}

/** What the others still own after the change, and what they owned of it. */
function contested(
  others: readonly Owner[],
  compared: (apiVersion: string) => Comparison | undefined,
): { left: Owner[]; conflicts: Conflict[] } {
  const conflicts: Conflict[] = [];
  const left = others.flatMap((owner) => {
    const comparison = compared(owner.apiVersion);
    if (!comparison) return [];
    const { changed, removed } = comparison;
    const fields = intersection(owner.fields, changed);
    if (!isEmptySet(fields)) conflicts.push({ owner, fields });
    const rest = difference(difference(owner.fields, changed), removed);
    return isEmptySet(rest) ? [] : [{ ...owner, fields: rest }];
  });
  return { left, conflicts };
}

/**
 * The object without what its writer applied last and nobody owns now. A struct that was owned only through what was in it
 * goes with it, and so does what nobody owned in there; entries and items go only where they themselves were owned.
 */
function prune(
  type: MergeType,
  merged: LooseObject,
  { last, owned }: { last: FieldSet; owned: FieldSet },
): LooseObject {
  const lastNamed = withNamedFields(type, last);
  const all = setOfAll(type, merged);
  const left = setOfAll(type, withoutFields(type, merged, { gone: lastNamed }));
  const unowned = difference(all, union(left, withNamedFields(type, owned)));
  const kept = setOfAll(type, withoutFields(type, merged, { gone: unowned, keep: owned }));
  const gone = intersection(difference(all, kept), lastNamed);
  return withoutFields(type, merged, { gone, keep: owned }) as LooseObject;
}

const setOfAll = (type: MergeType, value: unknown): FieldSet =>
  withNamedFields(type, toFieldSet(type, value ?? {}));

/** What other versions are compared through. What the version of the request cannot say stays as it is. */
function storedForm(
  { definition }: Writer,
  object: LooseObject,
  live: LooseObject | undefined,
): LooseObject {
  const { storedAs } = definition;
  if (!storedAs) return object;
  const stored = structuredClone(storedAs.toStored(object));
  if (live) definition.prepareForUpdate?.(stored, live);
  return stored;
}

function bareObject({ apiVersion, kind }: LooseObject): LooseObject {
  return { apiVersion, kind, metadata: {} };
}
