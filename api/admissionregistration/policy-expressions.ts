// The expressions of a policy, compiled in their order: each variable may be used by those after it.
// Invariant: pure; the same expressions are compiled for the rules of storing a policy and for the asking of it.
import { table } from '../../base/table.ts';
import { BOOL, type CelField, type CelType, DYN, listOf, NULL, STRING } from '../cel/cel-type.ts';
import type { Declarations } from '../cel/environment.ts';
import {
  JSON_PATCH,
  JSON_PATCH_TYPE,
  mutationTypes,
  OBJECT_TYPE,
} from '../cel/library/json-patch.ts';
import type { PatternAllowance } from '../cel/pattern-allowance.ts';
import type {
  MatchCondition,
  MutatingAdmissionPolicySpec,
  ParamKind,
  ValidatingAdmissionPolicySpec,
  Variable,
} from '../generated/types.ts';
import { type CompiledExpression, compileExpression } from './compiled-expression.ts';
import { declarationsOf, type Scope } from './expression-variables.ts';

/** An expression, and where in the policy it stands. */
export interface PolicyExpression {
  /** `spec.validations[0].expression` */
  readonly field: string;
  readonly compiled: CompiledExpression;
}

/** An expression with a name. */
export interface NamedExpression extends PolicyExpression {
  readonly name: string;
}

/** What both sorts of policies have. */
export interface CommonExpressions {
  readonly matchConditions: readonly NamedExpression[];
  readonly variables: readonly NamedExpression[];
}

/** Those of a ValidatingAdmissionPolicy. */
export interface ValidatingExpressions extends CommonExpressions {
  readonly validations: readonly {
    readonly rule: PolicyExpression;
    readonly message: PolicyExpression | undefined;
  }[];
  readonly auditAnnotations: readonly NamedExpression[];
}

/** Those of a MutatingAdmissionPolicy. */
export interface MutatingExpressions extends CommonExpressions {
  readonly mutations: readonly (PolicyExpression & { readonly patchType: string })[];
}

/** Types that are known; the others are dyn. Room for all patterns together, where they are asked for it. */
export interface KnownTypes {
  readonly object?: CelType;
  readonly params?: CelType | undefined;
  readonly patterns?: PatternAllowance;
}

/** The expressions of a ValidatingAdmissionPolicy. */
export function validatingExpressions(
  spec: Partial<ValidatingAdmissionPolicySpec>,
  known: KnownTypes = {},
): ValidatingExpressions {
  const { common, scope } = commonExpressions(spec, known);
  const declarations = declarationsOf({ ...scope, authorizer: true });
  const messages = declarationsOf(scope);
  const { validations = [], auditAnnotations = [] } = spec;
  return {
    ...common,
    validations: validations.map(({ expression, messageExpression }, i) => {
      const field = `spec.validations[${i}]`;
      return {
        rule: at(`${field}.expression`, expression, { declarations, results: [BOOL] }),
        message: messageExpression?.trim()
          ? at(`${field}.messageExpression`, messageExpression, {
              declarations: messages,
              results: [STRING],
            })
          : undefined,
      };
    }),
    auditAnnotations: auditAnnotations.map(({ key, valueExpression }, i) => ({
      name: key,
      ...at(`spec.auditAnnotations[${i}].valueExpression`, valueExpression, {
        declarations,
        results: [STRING, NULL],
      }),
    })),
  };
}

const RESULTS: Readonly<Record<string, CelType>> = table({
  ApplyConfiguration: OBJECT_TYPE,
  JSONPatch: listOf(JSON_PATCH_TYPE),
});

/** The expressions of a MutatingAdmissionPolicy. */
export function mutatingExpressions(
  spec: Partial<MutatingAdmissionPolicySpec>,
  known: KnownTypes = {},
): MutatingExpressions {
  const { common, scope } = commonExpressions(spec, known, withPatches);
  const declarations = withPatches(declarationsOf({ ...scope, authorizer: true }));
  const mutations = (spec.mutations ?? []).map(({ patchType, ...patches }, i) => {
    const name = patchType === 'JSONPatch' ? 'jsonPatch' : 'applyConfiguration';
    const source = patches[name]?.expression;
    const result = RESULTS[patchType] ?? DYN;
    const field = `spec.mutations[${i}].${name}.expression`;
    return { patchType, ...at(field, source, { declarations, results: [result] }) };
  });
  return { ...common, mutations };
}

function withPatches(declarations: Declarations): Declarations {
  return { ...declarations, functions: MUTATING_FUNCTIONS, structs: mutationTypes };
}

/** One list for all, as what is put in order once is remembered by the list. */
const MUTATING_FUNCTIONS = [
  ...(declarationsOf({ authorizer: true }).functions ?? []),
  ...JSON_PATCH,
];

interface CommonSpec {
  readonly paramKind?: ParamKind | undefined;
  readonly matchConditions?: readonly MatchCondition[] | undefined;
  readonly variables?: readonly Variable[] | undefined;
}

function commonExpressions(
  { paramKind, matchConditions = [], variables = [] }: CommonSpec,
  known: KnownTypes,
  more: (declarations: Declarations) => Declarations = (declarations) => declarations,
): { readonly common: CommonExpressions; readonly scope: Scope } {
  const params = paramKind && (known.params ?? DYN);
  const { object, patterns } = known;
  const base: Scope = { ...(object && { object }), params, patterns };
  const conditions = conditionExpressions(matchConditions, 'spec.matchConditions', base);
  // One type that grows, so that a thousand variables are not copied a thousand times.
  const fields = new Map<string, CelField>();
  const scope: Scope = { ...base, variables: { kind: 'object', name: VARIABLES, fields } };
  const declarations = more(declarationsOf({ ...scope, authorizer: true }));
  const compiled = variables.map(({ name, expression }, i): NamedExpression => {
    const one = at(`spec.variables[${i}].expression`, expression, { declarations });
    fields.set(name, { name, type: one.compiled.program?.type ?? DYN });
    return { name, ...one };
  });
  return { common: { matchConditions: conditions, variables: compiled }, scope };
}

/** What a policy's variables are together. */
const VARIABLES = 'kubernetes.variables';

/** Match conditions of a policy or a webhook; these know no variables. */
export function conditionExpressions(
  conditions: readonly MatchCondition[],
  path: string,
  scope: Scope = {},
): readonly NamedExpression[] {
  const declarations = declarationsOf({ ...scope, authorizer: true });
  return conditions.map(({ name, expression }, i) => ({
    name,
    ...at(`${path}[${i}].expression`, expression, { declarations, results: [BOOL] }),
  }));
}

interface Asked {
  readonly declarations: Declarations;
  readonly results?: readonly CelType[];
}

function at(field: string, source: string | undefined, asked: Asked): PolicyExpression {
  const compiled = compileExpression(source ?? '', asked.declarations, asked.results);
  return { field, compiled };
}

/** All of them in order, those of a ValidatingAdmissionPolicy or of a MutatingAdmissionPolicy. */
export function allExpressions(
  policy: MutatingExpressions | ValidatingExpressions,
): readonly PolicyExpression[] {
  const own =
    'mutations' in policy
      ? policy.mutations
      : [
          ...policy.validations.flatMap(({ rule, message }) =>
            message ? [rule, message] : [rule],
          ),
          ...policy.auditAnnotations,
        ];
  return [...policy.matchConditions, ...policy.variables, ...own];
}

type AnySpec = Partial<ValidatingAdmissionPolicySpec & MutatingAdmissionPolicySpec>;

/** The texts of all expressions of a policy of either sort, before any is compiled. */
export function policyTexts(spec: AnySpec): readonly (string | undefined)[] {
  const { matchConditions = [], variables = [], validations = [], mutations = [] } = spec;
  return [
    ...[...matchConditions, ...variables, ...validations].map(({ expression }) => expression),
    ...validations.map(({ messageExpression }) => messageExpression),
    ...(spec.auditAnnotations ?? []).map(({ valueExpression }) => valueExpression),
    ...mutations.map(({ jsonPatch }) => jsonPatch?.expression),
    ...mutations.map(({ applyConfiguration }) => applyConfiguration?.expression),
  ];
}
