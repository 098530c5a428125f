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
import { type AccessRequest, rulesAllow, subjectIs, SUPERUSERS } from '../../api/rbac/evaluate.ts';
import type { UserInfo } from '../../api/wire/exchange.ts';
import { collectionPrefix, objectKey } from '../registry/keys.ts';
import type { ObjectStore, StoreEvent } from '../watch/object-store.ts';

type Binding = ClusterRoleBinding | RoleBinding;

/** What was decided, and why, where something is to be said of that. */
export interface Decision {
  readonly allowed: boolean;
  readonly reason?: string;
}

/** What bindings that name a user come to. */
interface Found {
  readonly rules: readonly PolicyRule[];
  /** The bound roles that are not there, as told. */
  readonly missing: readonly string[];
}

/** Namespaces that a user's rules are remembered for; past it the user's are found anew. */
const MAX_REMEMBERED = 1_000;

/** Decides by the roles and bindings in a store. */
export class RbacAuthorizer {
  readonly #store: ObjectStore;
  /** Bindings by namespace ('' for cluster-wide ones), then by storage key. */
  readonly #bindings = new Map<string, Map<string, Binding>>();
  /** What #find came to, by user and namespace, until any role or binding changes. A connection has one UserInfo for all its requests. */
  #found = new WeakMap<UserInfo, Map<string, Found>>();

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
    return rulesAllow(this.#known(user, namespace).rules, request);
  }

  /** The same decision, and why in the words that clients know; who allows it is looked for anew each time. */
  decide(user: UserInfo, request: AccessRequest, namespace: string): Decision {
    if (this.allows(user, request, namespace)) {
      const reason = this.#grantOf(user, request, namespace);
      return {
        allowed: true,
        ...(reason !== undefined && { reason: `RBAC: allowed by ${reason}` }),
      };
    }
    const { missing } = this.#known(user, namespace);
    if (missing.length === 0) return { allowed: false };
    const told = missing.join(', ');
    return { allowed: false, reason: `RBAC: ${missing.length === 1 ? told : `[${told}]`}` };
  }

  /** Every rule that holds for the user in a namespace. */
  rulesFor(user: UserInfo, namespace: string): readonly PolicyRule[] {
    return this.#known(user, namespace).rules;
  }

  #known(user: UserInfo, namespace: string): Found {
    let places = this.#found.get(user);
    if (!places) this.#found.set(user, (places = new Map()));
    let found = places.get(namespace);
    if (!found) {
      if (places.size >= MAX_REMEMBERED) places.clear();
      places.set(namespace, (found = this.#find(user, namespace)));
    }
    return found;
  }

  #find(user: UserInfo, namespace: string): Found {
    const bindings = this.#bindingsOf(user, namespace);
    const rules = bindings.flatMap((binding) => [...this.#rulesOf(binding)]);
    const missing = bindings.filter((binding) => !this.#roleOf(binding)).map(missingRole);
    return { rules, missing: [...new Set(missing)] };
  }

  /** Those that hold in the namespace and name the user, cluster-wide ones first. */
  #bindingsOf(user: UserInfo, namespace: string): Binding[] {
    const found: Binding[] = [];
    for (const place of namespace === '' ? [''] : ['', namespace])
      for (const binding of this.#bindings.get(place)?.values() ?? [])
        if (names(binding, user)) found.push(binding);
    return found;
  }

  /** The first binding that allows it, as told; none for those whom no rule is asked about. */
  #grantOf(user: UserInfo, request: AccessRequest, namespace: string): string | undefined {
    if (user.groups.includes(SUPERUSERS)) return undefined;
    const binding = this.#bindingsOf(user, namespace).find((each) =>
      rulesAllow(this.#rulesOf(each), request),
    );
    return binding && describe(binding, user);
  }

  #forget(): void {
    this.#found = new WeakMap();
  }

  #rulesOf(binding: Binding): readonly PolicyRule[] {
    return this.#roleOf(binding)?.rules ?? [];
  }

  #roleOf({ roleRef: { kind, name }, metadata }: Binding): ClusterRole | undefined {
    const key =
      kind === 'ClusterRole'
        ? objectKey(ClusterRoles, '', name)
        : objectKey(Roles, metadata.namespace ?? '', name);
    return this.#store.get(key)?.object() as ClusterRole | undefined;
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

const names = (binding: Binding, user: UserInfo): boolean => subjectOf(binding, user) !== undefined;

function subjectOf({ metadata, subjects = [] }: Binding, user: UserInfo): RbacSubject | undefined {
  return subjects.find((subject) => subjectIs(subject, user, metadata.namespace));
}

/** `ClusterRoleBinding "view" of ClusterRole "view" to Group "people"`; names in namespaces have those behind a slash. */
function describe(binding: Binding, user: UserInfo): string {
  const { metadata, roleRef } = binding;
  const { namespace } = metadata;
  const kind = namespace ? 'RoleBinding' : 'ClusterRoleBinding';
  const name = namespace ? `${metadata.name}/${namespace}` : metadata.name;
  const subject = subjectOf(binding, user);
  const who =
    subject?.kind === 'ServiceAccount'
      ? `${subject.name}/${subject.namespace || namespace}`
      : subject?.name;
  return `${kind} "${name}" of ${roleRef.kind} "${roleRef.name}" to ${subject?.kind} "${who}"`;
}

const missingRole = ({ roleRef: { kind, name } }: Binding): string =>
  `${kind.toLowerCase()}.rbac.authorization.k8s.io "${name}" not found`;
