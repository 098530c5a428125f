// Policies of one sort with their bindings, kept by the store's events.
// Invariant: a policy is compiled once for each state of it, when a write first asks; an event costs one look-up.
import type { ResourceDefinition } from '../../../api/definition.ts';
import type { MatchResources, ParamKind, ParamRef } from '../../../api/generated/types.ts';
import type { KindRef } from '../../../api/kind-ref.ts';
import type { KubeObject, LooseObject } from '../../../api/meta/object.ts';
import type { Scheme } from '../../../api/scheme.ts';
import { collectionPrefix } from '../../registry/keys.ts';
import type { StoreEvent } from '../../watch/object-store.ts';
import {
  type MatchableRequest,
  type MatchingParts,
  type RequestMatcher,
  requestMatcher,
} from '../matching.ts';
import { paramDefinition } from './params.ts';

/** What both sorts of policies have. */
export interface Policy extends KubeObject {
  spec?:
    | {
        readonly matchConstraints?: MatchResources | undefined;
        readonly paramKind?: ParamKind | undefined;
        readonly failurePolicy?: string | undefined;
      }
    | undefined;
}

/** What both sorts of bindings have. */
export interface PolicyBinding extends KubeObject {
  spec?:
    | {
        readonly policyName?: string | undefined;
        readonly paramRef?: ParamRef | undefined;
        readonly matchResources?: MatchResources | undefined;
      }
    | undefined;
}

/** A binding made ready. */
export interface Bound<B> {
  readonly binding: B;
  readonly name: string;
  readonly matches: RequestMatcher;
}

/** A policy made ready. `C` are its expressions. */
export interface Prepared<P, C> {
  readonly policy: P;
  readonly name: string;
  readonly matches: RequestMatcher;
  readonly compiled: C;
  /** The definition of its parameters as it is now. Throws ConfigurationError. */
  params(): ResourceDefinition | undefined;
}

/** A policy with its bindings, of which there is at least one. */
export interface Hook<P, B, C> {
  readonly of: Prepared<P, C>;
  readonly bindings: readonly Bound<B>[];
}

/** Which kinds, and how expressions are compiled. */
export interface PolicySort<P extends KubeObject, B extends KubeObject, C> {
  readonly policies: KindRef<P>;
  readonly bindings: KindRef<B>;
  readonly compile: (policy: P) => C;
}

/** Policies by name with their bindings. */
export class PolicyIndex<P extends Policy, B extends PolicyBinding, C> {
  readonly #sort: PolicySort<P, B, C>;
  readonly #parts: MatchingParts;
  readonly #policies = new Map<string, Prepared<P, C>>();
  /** Of each policy, be it there or not, by name. */
  readonly #bindings = new Map<string, Map<string, Bound<B>>>();
  readonly #policyOf = new Map<string, string>();
  #hooks: readonly Hook<P, B, C>[] | undefined;

  constructor(sort: PolicySort<P, B, C>, parts: MatchingParts) {
    this.#sort = sort;
    this.#parts = parts;
    this.#follow(sort.policies as KindRef<never>, (name, object) =>
      this.#putPolicy(name, object as P | undefined),
    );
    this.#follow(sort.bindings as KindRef<never>, (name, object) =>
      this.#putBinding(name, object as B | undefined),
    );
  }

  /** Those that have bindings, by name. */
  get hooks(): readonly Hook<P, B, C>[] {
    this.#hooks ??= this.#active();
    return this.#hooks;
  }

  #active(): readonly Hook<P, B, C>[] {
    return [...this.#policies.values()].sort(byName).flatMap((of) => {
      const bindings = [...(this.#bindings.get(of.name)?.values() ?? [])].sort(byName);
      return bindings.length === 0 ? [] : [{ of, bindings }];
    });
  }

  #follow(ref: KindRef<never>, put: (name: string, object: unknown) => void): void {
    const { store } = this.#parts;
    const prefix = collectionPrefix(ref);
    const apply = (key: string, object: LooseObject | undefined) => {
      this.#hooks = undefined;
      put(key.slice(prefix.length), object);
    };
    for (const item of store.list(prefix).items) apply(item.key, item.object());
    store.subscribe(prefix, ({ type, key, value }: StoreEvent) =>
      apply(key, type === 'put' ? value.object() : undefined),
    );
  }

  #putPolicy(name: string, policy: P | undefined): void {
    if (policy === undefined) this.#policies.delete(name);
    else this.#policies.set(name, new PreparedPolicy(policy, this.#sort, this.#parts));
  }

  #putBinding(name: string, binding: B | undefined): void {
    const before = this.#policyOf.get(name);
    if (before !== undefined) this.#unbind(name, before);
    if (binding === undefined) return;
    const policy = binding.spec?.policyName ?? '';
    this.#policyOf.set(name, policy);
    const matches = whenAsked(() =>
      requestMatcher(binding.spec?.matchResources ?? {}, this.#parts),
    );
    const all = this.#bindings.get(policy) ?? new Map<string, Bound<B>>();
    all.set(name, { binding, name, matches: (request) => matches()(request) });
    this.#bindings.set(policy, all);
  }

  #unbind(name: string, policy: string): void {
    const all = this.#bindings.get(policy);
    all?.delete(name);
    if (all?.size === 0) this.#bindings.delete(policy);
    this.#policyOf.delete(name);
  }
}

class PreparedPolicy<P extends Policy, C> implements Prepared<P, C> {
  readonly policy: P;
  readonly name: string;
  readonly #scheme: Scheme;
  readonly #matcher: () => RequestMatcher;
  readonly #compiled: () => C;

  constructor(
    policy: P,
    { compile }: { readonly compile: (policy: P) => C },
    parts: MatchingParts,
  ) {
    this.policy = policy;
    this.name = policy.metadata.name ?? '';
    this.#scheme = parts.scheme;
    this.#matcher = whenAsked(() => requestMatcher(policy.spec?.matchConstraints ?? {}, parts));
    this.#compiled = whenAsked(() => compile(policy));
  }

  matches(request: MatchableRequest): ResourceDefinition | undefined {
    return this.#matcher()(request);
  }

  get compiled(): C {
    return this.#compiled();
  }

  params(): ResourceDefinition | undefined {
    return paramDefinition(this.policy.spec?.paramKind, this.#scheme);
  }
}

/** The same each time, made at the first. */
function whenAsked<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}
