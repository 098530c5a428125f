// Which names of a CustomResourceDefinition are accepted: those that nobody else of its group has.
// Pure; reasons and messages are upstream's, which clients wait for and show.
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionCondition,
  CustomResourceDefinitionNames,
} from '../../api/generated/types.ts';
import { findCondition, isConditionTrue, setCondition } from '../../api/meta/conditions.ts';

/** Names that others of the group have. */
export interface TakenNames {
  /** Plural, singular and short names share one space. */
  readonly resources: { has(name: string): boolean };
  /** Kinds and list kinds share another. */
  readonly kinds: { has(name: string): boolean };
}

interface Decided {
  readonly accepted: CustomResourceDefinitionNames;
  readonly condition: CustomResourceDefinitionCondition;
}

/** The accepted names, and the condition that tells of them; names of before stay where a new one is taken. */
export function acceptNames(
  { spec, status }: CustomResourceDefinition,
  taken: TakenNames,
): Decided {
  const wanted = spec.names;
  const before: Partial<CustomResourceDefinitionNames> = status?.acceptedNames ?? {};
  const conflicts = CHECKS.flatMap(({ field, among, reason }) => {
    const names = [wanted[field] ?? []].flat();
    const name = names.find((each) => taken[among].has(each));
    return name === undefined ? [] : [{ field, reason, name }];
  });
  const kept = Object.fromEntries(conflicts.map(({ field }) => [field, before[field]]));
  const accepted = { ...wanted, ...kept, plural: wanted.plural, kind: wanted.kind };
  for (const { field } of conflicts) {
    if (field === 'plural' || field === 'kind') accepted[field] = before[field] ?? '';
    else if (before[field] === undefined) delete accepted[field];
  }
  return { accepted, condition: namesAccepted(conflicts[0]) };
}

/** What is looked at, in upstream's order. */
const CHECKS = [
  { field: 'plural', among: 'resources', reason: 'PluralConflict' },
  { field: 'singular', among: 'resources', reason: 'SingularConflict' },
  { field: 'shortNames', among: 'resources', reason: 'ShortNamesConflict' },
  { field: 'kind', among: 'kinds', reason: 'KindConflict' },
  { field: 'listKind', among: 'kinds', reason: 'ListKindConflict' },
] as const;

function namesAccepted(
  conflict: { reason: string; name: string } | undefined,
): CustomResourceDefinitionCondition {
  const type = 'NamesAccepted';
  if (conflict === undefined)
    return { type, status: 'True', reason: 'NoConflicts', message: 'no conflicts found' };
  const message = `${JSON.stringify(conflict.name)} is already in use`;
  return { type, status: 'False', reason: conflict.reason, message };
}

/** The status with what was decided; Established comes with the first acceptance and stays. */
export function statusWith(
  crd: CustomResourceDefinition,
  { accepted, condition }: Decided,
  nowMs: number,
): NonNullable<CustomResourceDefinition['status']> {
  const before = crd.status?.conditions ?? [];
  const named = setCondition(before, condition, nowMs);
  const established: CustomResourceDefinitionCondition =
    condition.status === 'True' || isConditionTrue(before, 'Established')
      ? {
          type: 'Established',
          status: 'True',
          reason: 'InitialNamesAccepted',
          message: 'the initial names have been accepted',
        }
      : {
          type: 'Established',
          status: 'False',
          reason: 'NotAccepted',
          message: 'not all names are accepted',
        };
  const kept = findCondition(before, 'Established');
  const conditions =
    kept?.status === established.status ? named : setCondition(named, established, nowMs);
  return { ...crd.status, acceptedNames: accepted, conditions };
}
