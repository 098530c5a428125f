// Role-based access control: an indexed view of roles and bindings, kept by the store's events, and the decision over it.
// Invariant: a decision looks only at bindings that can name the user; nothing is granted that no rule grants.
import { ClusterRoleBindings, ClusterRoles, RoleBindings, Roles } from '../../api/kinds.ts';
import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  RbacSubject,
  RoleBinding,
} from '../../api/generated/types.ts';
import type { KindRef } from '../../api/kind-ref.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { type AccessRequest, rulesAllow, subjectIs } from '../../api/rbac/evaluate.ts';
import type { UserInfo } from '../../api/wire/exchange.ts';
import { collectionPrefix, objectKey } from '../registry/keys.ts';
import type { ObjectStore, StoreEvent } from '../watch/object-store.ts';

type Binding = ClusterRoleBinding | RoleBinding;

/** Who may do everything, whatever the rules say. */
const SUPERUSERS = 'system:masters';

/** Namespaces that a user's rules are remembered for; past it the user's are found anew. */
const MAX_REMEMBERED = 1_000;

/** Decides by the roles and bindings in a store. */
export class RbacAuthorizer {
  readonly #store: ObjectStore;
  /** Bindings by namespace ('' for cluster-wide ones), then by storage key. */
  readonly #bindings = new Map<string, Map<string, Binding>>();
  /** What #find came to, by user and namespace, until any role or binding changes. A connection has one UserInfo for all its requests. */
  #found = new WeakMap<UserInfo, Map<string, PolicyRule[]>>();

  constructor(store: ObjectStore) {
    this.#store = store;
    for (const ref of [ClusterRoleBindings, RoleBindings] as readonly KindRef<KubeObject>[]) {
      const prefix = collectionPrefix(ref);
      for (const item of store.list(prefix).items)
        this.#put(item.key, item.object() as unknown as Binding);
      store.subscribe(prefix, (event) => this.#apply(event));
    }
    for (const ref of [ClusterRoles, Roles] as readonly KindRef<KubeObject>[])
      store.subscribe(collectionPrefix(ref), () => this.#forget());
  }

  /** May the user do this? `namespace` is '' for requests about no namespace or all of them. */
  allows(user: UserInfo, request: AccessRequest, namespace: string): boolean {
    if (user.groups.includes(SUPERUSERS)) return true;
    return rulesAllow(this.#rules(user, namespace), request);
  }

  /** Every rule that holds for the user in a namespace. */
  rulesFor(user: UserInfo, namespace: string): readonly PolicyRule[] {
    return this.#rules(user, namespace);
  }

  #rules(user: UserInfo, namespace: string): readonly PolicyRule[] {
    let places = this.#found.get(user);
    if (!places) this.#found.set(user, (places = new Map()));
    let rules = places.get(namespace);
    if (!rules) {
      if (places.size >= MAX_REMEMBERED) places.clear();
      places.set(namespace, (rules = this.#find(user, namespace)));
    }
    return rules;
  }

  #find(user: UserInfo, namespace: string): PolicyRule[] {
    const places = namespace === '' ? [''] : ['', namespace];
    const granted: PolicyRule[] = [];
    for (const place of places)
      for (const binding of this.#bindings.get(place)?.values() ?? [])
        if (names(binding, user)) granted.push(...this.#rulesOf(binding));
    return granted;
  }

  #forget(): void {
    this.#found = new WeakMap();
  }

  #rulesOf(binding: Binding): readonly PolicyRule[] {
    const { kind, name } = binding.roleRef;
    const namespace = binding.metadata.namespace ?? '';
    const key =
      kind === 'ClusterRole'
        ? objectKey(ClusterRoles, '', name)
        : objectKey(Roles, namespace, name);
    return (this.#store.get(key)?.object() as ClusterRole | undefined)?.rules ?? [];
  }

  #apply(event: StoreEvent): void {
    this.#forget();
    if (event.type === 'put') this.#put(event.key, event.value.object() as unknown as Binding);
    else for (const bindings of this.#bindings.values()) bindings.delete(event.key);
  }

  #put(key: string, binding: Binding): void {
    const namespace = binding.metadata.namespace ?? '';
    const bindings = this.#bindings.get(namespace) ?? new Map<string, Binding>();
    bindings.set(key, binding);
    this.#bindings.set(namespace, bindings);
  }
}

function names(binding: Binding, user: UserInfo): boolean {
  const { namespace } = binding.metadata;
  return (binding.subjects ?? []).some((subject: RbacSubject) =>
    subjectIs(subject, user, namespace),
  );
}
