// Rules of where a pod may run: tolerations, affinity, topology spread; and taints, their counterpart.
// Pure; wordings are those API clients know.
import { gather } from '../../base/gather.ts';
import type { FieldError } from '../field-error.ts';
import { duplicate, forbiddenField, invalidValue, notSupported, required } from '../field-error.ts';
import type {
  Affinity,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinity,
  PodAffinityTerm,
  Taint,
  Toleration,
  TopologySpreadConstraint,
} from '../generated/types.ts';
import { labelValue, qualifiedName } from '../meta/names.ts';
import { between, oneOf, requiredOneOf } from '../meta/numbers.ts';
import { validateLabelSelector } from '../meta/validate-labels.ts';

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

/** A key that must be there and be a qualified name. */
function keyRule(key: string | undefined, path: string): FieldError[] {
  const why = qualifiedName(key ?? '');
  return why === undefined ? [] : [invalidValue(path, key ?? '', why)];
}

/** Rules of `spec.tolerations`. */
export function validateTolerations(
  tolerations: readonly Toleration[],
  path: string,
): FieldError[] {
  return gather(tolerations, (toleration, i) => validateToleration(toleration, `${path}[${i}]`));
}

function validateToleration(toleration: Toleration, path: string): FieldError[] {
  const { key, operator, effect, tolerationSeconds } = toleration;
  const errors: FieldError[] = key ? keyRule(key, `${path}.key`) : [];
  if (!key && operator !== 'Exists') {
    const why =
      'operator must be Exists when `key` is empty, which means "match all values and all keys"';
    errors.push(invalidValue(`${path}.operator`, operator ?? '', why));
  }
  if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
    const why = "effect must be 'NoExecute' when `tolerationSeconds` is set";
    errors.push(invalidValue(`${path}.effect`, effect ?? '', why));
  }
  return [
    ...errors,
    ...validateTolerationValue(toleration, `${path}.operator`),
    ...oneOf(effect || undefined, EFFECTS, `${path}.effect`),
  ];
}

function validateTolerationValue(toleration: Toleration, path: string): FieldError[] {
  const { operator, value = '' } = toleration;
  switch (operator) {
    case 'Exists':
      return value === ''
        ? []
        : [invalidValue(path, toleration, "value must be empty when `operator` is 'Exists'")];
    case undefined:
    case '':
    case 'Equal': {
      const why = labelValue(value);
      return why === undefined ? [] : [invalidValue(path, value, why)];
    }
    default:
      return [notSupported(path, operator, ['Equal', 'Exists'])];
  }
}

/** Rules of a node's taints; a key may stand once per effect. */
export function validateTaints(taints: readonly Taint[], path: string): FieldError[] {
  const seen = new Set<string>();
  return gather(taints, (taint, i) => {
    const at = `${path}[${i}]`;
    const errors = keyRule(taint.key, `${at}.key`);
    const why = labelValue(taint.value ?? '');
    if (why !== undefined) errors.push(invalidValue(`${at}.value`, taint.value, why));
    errors.push(...requiredOneOf(taint.effect, EFFECTS, `${at}.effect`));
    const identity = `${taint.key}:${taint.effect}`;
    if (seen.has(identity)) errors.push(duplicate(at, taint));
    seen.add(identity);
    return errors;
  });
}

/** Rules of `spec.affinity`. */
export function validateAffinity(affinity: Affinity | undefined, path: string): FieldError[] {
  if (affinity === undefined) return [];
  const { nodeAffinity: node } = affinity;
  const hard = 'requiredDuringSchedulingIgnoredDuringExecution';
  const soft = 'preferredDuringSchedulingIgnoredDuringExecution';
  const errors = validateNodeSelector(node?.[hard], `${path}.nodeAffinity.${hard}`);
  (node?.[soft] ?? []).forEach((term, i) => {
    const at = `${path}.nodeAffinity.${soft}[${i}]`;
    errors.push(
      ...weight(term.weight, at),
      ...validateNodeTerm(term.preference, `${at}.preference`),
    );
  });
  return [
    ...errors,
    ...validatePodAffinity(affinity.podAffinity, `${path}.podAffinity`),
    ...validatePodAffinity(affinity.podAntiAffinity, `${path}.podAntiAffinity`),
  ];
}

/** Rules of a choice of nodes; an absent one is fine. */
export function validateNodeSelector(
  selector: NodeSelector | undefined,
  path: string,
): FieldError[] {
  if (selector === undefined) return [];
  const at = `${path}.nodeSelectorTerms`;
  const terms = selector.nodeSelectorTerms ?? [];
  if (terms.length === 0) return [required(at, 'must have at least one node selector term')];
  return gather(terms, (term, i) => validateNodeTerm(term, `${at}[${i}]`));
}

function weight(value: number, path: string): FieldError[] {
  return value >= 1 && value <= 100
    ? []
    : [invalidValue(`${path}.weight`, value, 'must be in the range 1-100')];
}

function validateNodeTerm(term: NodeSelectorTerm | undefined, path: string): FieldError[] {
  return [
    ...gather(term?.matchExpressions, (expression, i) => [
      ...keyRule(expression.key, `${path}.matchExpressions[${i}].key`),
      ...validateNodeRequirement(expression, `${path}.matchExpressions[${i}]`),
    ]),
    ...gather(term?.matchFields, (match, i) =>
      match.key === 'metadata.name'
        ? validateNodeRequirement(match, `${path}.matchFields[${i}]`)
        : [
            invalidValue(
              `${path}.matchFields[${i}].key`,
              match.key,
              'not a valid field selector key',
            ),
          ],
    ),
  ];
}

function validateNodeRequirement(term: NodeSelectorRequirement, path: string): FieldError[] {
  const values = term.values ?? [];
  switch (term.operator) {
    case 'In':
    case 'NotIn':
      return values.length > 0
        ? []
        : [required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'")];
    case 'Exists':
    case 'DoesNotExist':
      return values.length === 0
        ? []
        : [
            forbiddenField(
              `${path}.values`,
              "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
            ),
          ];
    case 'Gt':
    case 'Lt':
      return values.length === 1
        ? []
        : [
            required(
              `${path}.values`,
              "must be specified single value when `operator` is 'Lt' or 'Gt'",
            ),
          ];
    default:
      return [invalidValue(`${path}.operator`, term.operator, 'not a valid selector operator')];
  }
}

function validatePodAffinity(affinity: PodAffinity | undefined, path: string): FieldError[] {
  const hard = 'requiredDuringSchedulingIgnoredDuringExecution';
  const soft = 'preferredDuringSchedulingIgnoredDuringExecution';
  return [
    ...gather(affinity?.[hard], (term, i) => validatePodTerm(term, `${path}.${hard}[${i}]`)),
    ...gather(affinity?.[soft], (term, i) => [
      ...weight(term.weight, `${path}.${soft}[${i}]`),
      ...validatePodTerm(term.podAffinityTerm, `${path}.${soft}[${i}].podAffinityTerm`),
    ]),
  ];
}

function validatePodTerm(term: PodAffinityTerm | undefined, path: string): FieldError[] {
  const topology = term?.topologyKey;
  return [
    ...(topology
      ? keyRule(topology, `${path}.topologyKey`)
      : [required(`${path}.topologyKey`, 'can not be empty')]),
    ...validateLabelSelector(term?.labelSelector, `${path}.labelSelector`),
    ...validateLabelSelector(term?.namespaceSelector, `${path}.namespaceSelector`),
  ];
}

/** Rules of `spec.topologySpreadConstraints`. */
export function validateSpread(
  constraints: readonly TopologySpreadConstraint[],
  path: string,
): FieldError[] {
  return gather(constraints, (constraint, i) => {
    const at = `${path}[${i}]`;
    return [
      ...(constraint.maxSkew > 0
        ? []
        : [invalidValue(`${at}.maxSkew`, constraint.maxSkew, 'must be greater than zero')]),
      ...(constraint.topologyKey
        ? keyRule(constraint.topologyKey, `${at}.topologyKey`)
        : [required(`${at}.topologyKey`, 'can not be empty')]),
      ...requiredOneOf(
        constraint.whenUnsatisfiable,
        ['DoNotSchedule', 'ScheduleAnyway'],
        `${at}.whenUnsatisfiable`,
      ),
      ...between(constraint.minDomains, [1, 2 ** 31 - 1], `${at}.minDomains`),
      ...validateLabelSelector(constraint.labelSelector, `${at}.labelSelector`),
    ];
  });
}
