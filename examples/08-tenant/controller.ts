// The controller: sees to it that each tenant has its namespace, and that what belongs into it is there and as it should be.
// Invariant: nothing is written into a namespace that was not made for the tenant, and people lose their rights before the rest goes.
import {
  formatTime,
  isAlreadyExists,
  isInvalid,
  isNotFound,
  type Namespace,
  Namespaces,
  RoleBindings,
} from 'pinnace/client';
import {
  type BuilderContext,
  controllerFor,
  covers,
  done,
  isControlledBy,
  keyOf,
  requeueAfter,
  type Result,
  withCondition,
  writeStatus,
} from 'pinnace/controllers';
import { type Tenant, Tenants } from './kind.ts';
import { claimOn, FURNITURE, type Furniture, furnitureOf, namespaceOf, roleName } from './plan.ts';

type Context = BuilderContext<Tenant>;

/** Waits for the namespace before the tenant goes. */
export const FINALIZER = 'tenancy.example.com/namespace';
const MANAGER = 'tenant-operator';
/** A namespace that ends is looked for again after so long, though its end wakes the tenant as well. */
const ENDING_MS = 5_000;

/** Keeps tenants. */
export const tenants = FURNITURE.reduce(
  (builder, ref) => builder.owns(ref),
  controllerFor(Tenants)
    .named('tenants')
    .concurrency(4)
    .index('namespace', ({ spec }) => [spec.namespace])
    .watches(Namespaces, ({ metadata }, { informer }) =>
      informer.byIndex('namespace', metadata.name ?? '').map(keyOf),
    ),
)
  .withFinalizer(FINALIZER, moveOut)
  .reconcile(async (tenant, context) => {
    const { informers } = context;
    const namespace = informers.informer(Namespaces).get(tenant.spec.namespace);
    const claim = claimOn(tenant, namespace);
    if (claim === 'wait') {
      await tell(tenant, context, ['False', 'NamespaceEnds', 'it is made anew once it is gone']);
      return requeueAfter(ENDING_MS);
    }
    if (typeof claim === 'object') {
      context.events.event(tenant, {
        type: 'Warning',
        reason: 'NamespaceTaken',
        message: claim.taken,
      });
      await tell(tenant, context, ['False', 'NamespaceTaken', claim.taken]);
      return done;
    }
    const home = claim === 'make' ? await make(tenant, context) : namespace;
    // Somebody was first: the event of that comes, and all is judged anew.
    if (!home) return done;
    const refused = await furnish(tenant, home, context);
    await tell(
      tenant,
      context,
      refused === undefined ? ['True', 'Furnished', ''] : ['False', 'Refused', refused],
    );
    return done;
  });

/** Makes the namespace; answers nothing where somebody else just has. */
async function make(tenant: Tenant, { client, signal }: Context): Promise<Namespace | undefined> {
  const namespaces = client.resource(Namespaces);
  try {
    return await namespaces.create(namespaceOf(tenant), { signal });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const there = await namespaces.get({ name: tenant.spec.namespace }, { signal });
    return isControlledBy(there, tenant) ? there : undefined;
  }
}

/** Puts in place what is missing or not as it should be. Answers what the server says to what it refuses for good. */
async function furnish(
  tenant: Tenant,
  home: Namespace,
  context: Context,
): Promise<string | undefined> {
  const { client, events, informers, signal } = context;
  const { labels = {} } = namespaceOf(tenant).metadata;
  const { name = '', uid = '' } = home.metadata;
  if (!covers(home.metadata.labels, labels))
    // With the uid it is an apply of this very namespace, never the making of another.
    await client
      .resource(Namespaces)
      .apply({ metadata: { name, uid, labels } }, { fieldManager: MANAGER, force: true, signal });
  // What the tenant no longer says is seen by nothing but its generation.
  const isNew = tenant.status?.observedGeneration !== tenant.metadata.generation;
  let refused: string | undefined;
  for (const piece of furnitureOf(tenant)) {
    const live = informers.informer(piece.ref).get(keyOf(piece.object));
    if (!isNew && covers(live, piece.object)) continue;
    try {
      await stillIs(home, context);
      await put(piece, context);
    } catch (error) {
      if (!isInvalid(error)) throw error;
      refused ??= (error as Error).message;
      continue;
    }
    if (isNew) continue;
    const message = `Put ${piece.ref.kind} ${piece.object.metadata.name} right`;
    events.event(tenant, { type: 'Normal', reason: 'DriftCorrected', message });
  }
  return refused;
}

/** Asks the server: a cache may lag behind while the namespace goes and comes again as somebody else's. */
async function stillIs(home: Namespace, { client, signal }: Context): Promise<void> {
  const { name = '', uid } = home.metadata;
  const { metadata } = await client.resource(Namespaces).get({ name }, { signal });
  if (metadata.uid !== uid) throw new Error(`the namespace ${name} is another one by now`);
}

/** Applies the object. A binding to another role cannot be changed into what it should be, and is made anew. */
async function put({ ref, object }: Furniture, { client, signal }: Context): Promise<void> {
  const resource = client.resource(ref);
  const { name = '', namespace } = object.metadata;
  const at = { name, namespace };
  const apply = () =>
    resource.patch(
      at,
      { type: 'apply', body: object, force: true },
      { fieldManager: MANAGER, signal },
    );
  try {
    await apply();
  } catch (error) {
    if (ref !== RoleBindings || !isInvalid(error)) throw error;
    await resource.delete(at, { signal });
    await apply();
  }
}

/** Writes what is so. */
async function tell(
  tenant: Tenant,
  context: Context,
  [status, reason, message]: readonly ['True' | 'False', string, string],
): Promise<void> {
  const now = formatTime(context.clock.now());
  const { generation = 0 } = tenant.metadata;
  const ready = { type: 'Ready', status, reason, message, observedGeneration: generation };
  await writeStatus(context, tenant, (current) => ({
    ...current.status,
    ...(status === 'True' && { observedGeneration: generation }),
    members: tenant.spec.members.length,
    conditions: withCondition(current.status?.conditions, ready, now),
  }));
}

/** Before a tenant goes: its people are let out, then its namespace ends. Asks the server, since a cache may not show what was just made. */
async function moveOut(tenant: Tenant, { client, signal }: Context): Promise<Result> {
  const namespaces = client.resource(Namespaces);
  const at = { name: tenant.spec.namespace };
  const ignoreMissing = (error: unknown) => {
    if (!isNotFound(error)) throw error;
    return undefined;
  };
  const namespace = await namespaces.get(at, { signal }).catch(ignoreMissing);
  if (!namespace || !isControlledBy(namespace, tenant)) return done;
  if (namespace.metadata.deletionTimestamp) return requeueAfter(ENDING_MS);
  const bindings = client.resource(RoleBindings);
  for (const role of ['owner', 'viewer'] as const)
    await bindings
      .delete({ namespace: at.name, name: roleName(role) }, { signal })
      .catch(ignoreMissing);
  const { uid = '' } = namespace.metadata;
  await namespaces.delete(at, { preconditions: { uid }, signal }).catch(ignoreMissing);
  return requeueAfter(ENDING_MS);
}
