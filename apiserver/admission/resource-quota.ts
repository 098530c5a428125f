// What is made in a namespace keeps to its ResourceQuotas, and is charged to them (upstream's ResourceQuota).
// Invariant: a quota is charged by compare-and-set, so that writes at once never use the same room. What is charged to a
// write that fails afterwards comes back when the quota is counted anew.
import { charge, growth, quotaCovers, unsaid, usageOf } from '../../api/core/quota-usage.ts';
import { resourceQuotaDefinition } from '../../api/core/resource-quota.ts';
import type { ResourceDefinition } from '../../api/definition.ts';
import type { Pod, ResourceQuota } from '../../api/generated/types.ts';
import { Pods, ResourceQuotas } from '../../api/kinds.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import type { ResourceList } from '../../api/meta/pod-resources.ts';
import { forbidden, isNotFound } from '../../api/status.ts';
import { Registry } from '../registry/registry.ts';
import type { ObjectStore } from '../watch/object-store.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts';
import { knownLists } from './known-lists.ts';

/** The one way to change what a pod asks for. */
const RESIZE = 'resize';

/** The plugin; it comes last, as what is refused after it was charged in vain. */
export function resourceQuota(store: ObjectStore): AdmissionPlugin {
  const registry = new Registry(store);
  const quotasIn = knownLists<ResourceQuota>(store, ResourceQuotas);
  return {
    name: 'ResourceQuota',
    validate(request) {
      const { operation, definition, subresource, namespace } = request;
      const other = subresource !== undefined && subresource !== RESIZE;
      if (operation === 'delete' || other || !definition.ref.namespaced) return undefined;
      const quotas = quotasIn(namespace);
      return quotas.length === 0 ? undefined : chargeAll(registry, quotas, request);
    },
  };
}

async function chargeAll(
  registry: Registry,
  quotas: readonly ResourceQuota[],
  request: AdmissionRequest,
): Promise<void> {
  const { operation, definition, object, old } = request;
  const before = old === undefined ? {} : usageOf(definition.ref, old);
  const asked = growth(usageOf(definition.ref, object), before);
  for (const quota of quotas) {
    if (!quotaCovers(quota, definition.ref, object)) continue;
    if (operation === 'create') refuseUnsaid(quota, request);
    await chargeTo(registry, quota, { request, asked });
  }
}

function refuseUnsaid(quota: ResourceQuota, { definition, name, object }: AdmissionRequest): void {
  if (definition.ref !== Pods) return;
  const why = unsaid(quota, object as unknown as Pod);
  if (why !== undefined) throw forbidden(definition.ref, name, why);
}

async function chargeTo(
  registry: Registry,
  { metadata, status }: ResourceQuota,
  { request, asked }: { request: AdmissionRequest; asked: ResourceList },
): Promise<void> {
  const bounds = Object.keys(status?.hard ?? {});
  if (!bounds.some((name) => name in asked)) return;
  const { definition, namespace, name, dryRun } = request;
  const at = {
    definition: resourceQuotaDefinition as unknown as ResourceDefinition,
    namespace,
    name: metadata.name ?? '',
  };
  try {
    await registry.updateInTurn(
      at,
      (old) => {
        const charged = charge(old as unknown as ResourceQuota, asked);
        if ('why' in charged) throw forbidden(definition.ref, name, charged.why);
        return { kind: 'put', object: withUsed(old, charged.used) };
      },
      { dryRun },
    );
  } catch (error) {
    // It went meanwhile, and bounds nothing any more.
    if (!isNotFound(error)) throw error;
  }
}

function withUsed(old: LooseObject, used: Record<string, string>): LooseObject {
  return { ...old, status: { ...(old['status'] as object), used } };
}
