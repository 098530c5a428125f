// Which writes a webhook or a policy is about: rules, match policy and selectors of admissionregistration.k8s.io/v1.
// Invariant: pure but for the namespaces' labels, which are the visible ones; rules are looked at first, as they cost least,
// so that a selector is asked, and a namespace looked up, only for a write that is about the right resource.
import type { ResourceDefinition } from '../../api/definition.ts';
import type { NamedRuleWithOperations, RuleWithOperations } from '../../api/generated/types.ts';
import type { LabelSelector } from '../../api/generated/types.ts';
import type { KindRef } from '../../api/kind-ref.ts';
import { Namespaces } from '../../api/kinds.ts';
import { fromLabelSelector, type Labels, type Selector } from '../../api/meta/labels.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import type { Scheme } from '../../api/scheme.ts';
import { subresourcesOf } from '../../api/schema/endpoints.ts';
import type { GroupVersionKind } from '../../api/schema/schema.ts';
import { notFound } from '../../api/status.ts';
import { objectKey } from '../registry/keys.ts';
import type { ObjectStore } from '../watch/object-store.ts';

/** What of a write is looked at; an AdmissionRequest is one. */
export interface MatchableRequest {
  readonly operation: 'create' | 'update' | 'delete' | 'connect';
  readonly definition: ResourceDefinition;
  readonly subresource: string | undefined;
  /** '' for cluster-scoped objects; a namespace's own name, or '', for namespaces. */
  readonly namespace: string;
  readonly name: string;
  /** What is to be; not looked at for deletes. */
  readonly object?: LooseObject | undefined;
  readonly old?: LooseObject | undefined;
}

/** What a webhook (its `rules`) or a policy (its matchResources) says of the writes that it is about. */
export interface MatchCriteria {
  /** Any resource where there are none. */
  readonly resourceRules?: readonly NamedRuleWithOperations[] | undefined;
  readonly excludeResourceRules?: readonly NamedRuleWithOperations[] | undefined;
  readonly matchPolicy?: string | undefined;
  readonly namespaceSelector?: LabelSelector | undefined;
  readonly objectSelector?: LabelSelector | undefined;
}

/**
 * Answers the definition in whose version the matched object is to be shown: the request's own, or, by match policy
 * Equivalent, the one that a rule names. Undefined where the write is not matched. Throws NotFound where the namespace
 * whose labels are asked for is not there.
 */
export type RequestMatcher = (request: MatchableRequest) => ResourceDefinition | undefined;

/** Where versions and namespaces are looked up. */
export interface MatchingParts {
  readonly scheme: Scheme;
  readonly store: ObjectStore;
}

const GROUP = 'admissionregistration.k8s.io';

/** Nobody is asked about the configuration of who is asked: a wrong one could never be mended. */
export function isExempt({ definition }: Pick<MatchableRequest, 'definition'>): boolean {
  return definition.ref.group === GROUP;
}

/** The kind of the objects that a request carries: that of its subresource where it has one. Undefined where there is no such subresource. */
export function kindOfRequest(
  definition: ResourceDefinition,
  subresource: string | undefined,
): GroupVersionKind | undefined {
  const { group, version, kind } = definition.ref;
  if (subresource === undefined) return { group, version, kind };
  const entry = subresourcesOf(definition).find(({ name }) => name === subresource);
  return entry && { group, version, ...entry };
}

/** The namespace that a request is told to be in: a namespace is in itself, as upstream has it. */
export function requestNamespace({
  definition,
  namespace,
  name,
}: Pick<MatchableRequest, 'definition' | 'name' | 'namespace'>): string {
  return definition.ref === Namespaces ? name : namespace;
}

/** Criteria made ready. Throws BadRequest for selectors that are none, which validation keeps out of the store. */
export function requestMatcher(criteria: MatchCriteria, parts: MatchingParts): RequestMatcher {
  const { resourceRules: rules = [], excludeResourceRules: excluded = [], matchPolicy } = criteria;
  const inNamespace = selectorOf(criteria.namespaceSelector);
  const ofObject = selectorOf(criteria.objectSelector);
  const search = { equivalents: matchPolicy === 'Equivalent', scheme: parts.scheme };
  return (request) => {
    if (isExempt(request)) return undefined;
    const shown = rules.length === 0 ? request.definition : ruled(rules, request, search);
    if (!shown || ruled(excluded, request, search)) return undefined;
    if (ofObject && !selectsObject(ofObject, request)) return undefined;
    if (inNamespace && !selectsNamespace(inNamespace, request, parts.store)) return undefined;
    return shown;
  };
}

/** Undefined for a selector that selects everything. */
function selectorOf(selector: LabelSelector | undefined): Selector | undefined {
  const parsed = fromLabelSelector(selector ?? {});
  return parsed.matchesAll ? undefined : parsed;
}

interface Search {
  readonly equivalents: boolean;
  readonly scheme: Scheme;
}

/** The definition that a rule is about: the request's, or an equivalent one where no rule is about that. */
function ruled(
  rules: readonly NamedRuleWithOperations[],
  request: MatchableRequest,
  { equivalents, scheme }: Search,
): ResourceDefinition | undefined {
  const { definition, name } = request;
  const about = (rule: NamedRuleWithOperations, ref: KindRef) =>
    isOfOperation(rule, request) && isOfResource(rule, ref, request) && isNamed(rule, name);
  for (const rule of rules) if (about(rule, definition.ref)) return definition;
  const served = equivalents && rules.length > 0 ? scheme.servedFromStore(definition.ref) : [];
  // Most kinds have one version: there is nothing more to look for.
  if (served.length < 2) return undefined;
  const others = served.filter(
    (other) => !isSame(other.ref, definition.ref) && offers(other, request.subresource),
  );
  for (const rule of rules) {
    const found = others.find(({ ref }) => about(rule, ref));
    if (found) return found;
  }
  return undefined;
}

function offers(definition: ResourceDefinition, subresource: string | undefined): boolean {
  return kindOfRequest(definition, subresource) !== undefined;
}

function isSame(a: KindRef, b: KindRef): boolean {
  return a.group === b.group && a.version === b.version && a.plural === b.plural;
}

function isNamed({ resourceNames = [] }: NamedRuleWithOperations, name: string): boolean {
  return resourceNames.length === 0 || resourceNames.includes(name);
}

function isOfOperation(rule: RuleWithOperations, { operation }: MatchableRequest): boolean {
  const { operations = [] } = rule;
  return operations.includes('*') || operations.includes(operation.toUpperCase());
}

function isOfResource(
  { scope, apiGroups = [], apiVersions = [], resources = [] }: RuleWithOperations,
  ref: KindRef,
  { subresource = '' }: MatchableRequest,
): boolean {
  const says = (values: readonly string[], value: string) =>
    values.includes('*') || values.includes(value);
  return (
    says(apiGroups, ref.group) &&
    says(apiVersions, ref.version) &&
    isOfScope(scope, ref) &&
    resources.some((each) => {
      const [plural, part = ''] = each.split('/', 2);
      return (plural === '*' || plural === ref.plural) && (part === '*' || part === subresource);
    })
  );
}

/** Namespaces are of the cluster, though requests for them are sent as to what is in them. */
function isOfScope(scope: string | undefined, { namespaced }: KindRef): boolean {
  if (scope === undefined || scope === '*') return true;
  return scope === 'Namespaced' ? namespaced : !namespaced;
}

/** The object before or after the write has the labels. */
function selectsObject(selector: Selector, request: MatchableRequest): boolean {
  const { operation, object, old } = request;
  const states = operation === 'delete' ? [old] : [object, old];
  return states.some((state) => state?.metadata && selector.matches(state.metadata.labels));
}

/** Objects of the cluster are selected whatever the selector says; a namespace is by labels of its own. */
function selectsNamespace(
  selector: Selector,
  request: MatchableRequest,
  store: ObjectStore,
): boolean {
  const { definition, operation, subresource, namespace, name, object } = request;
  const { ref } = definition;
  const ofNamespace = ref.group === '' && ref.plural === Namespaces.plural;
  if (!ofNamespace && !ref.namespaced) return true;
  const written = operation === 'create' || operation === 'update';
  if (ofNamespace && written && subresource === undefined)
    return selector.matches(object?.metadata.labels);
  return selector.matches(labelsOfNamespace(store, ofNamespace ? name : namespace));
}

function labelsOfNamespace(store: ObjectStore, name: string): Labels | undefined {
  const found = store.get(objectKey(Namespaces, '', name));
  if (!found) throw notFound(Namespaces, name);
  return found.object().metadata.labels;
}
