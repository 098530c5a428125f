// POST pods/NAME/eviction: a delete that the pod's disruption budget may refuse.
// Invariant: a refused eviction changes nothing; one that is let through says so in the pod's conditions first.
import type { Eviction, Pod, PodCondition } from '../../api/generated/types.ts';
import { setCondition } from '../../api/meta/conditions.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import { decodeObject } from '../../api/schema/decode.ts';
import { badRequest } from '../../api/status.ts';
import type { Reply } from '../../api/wire/exchange.ts';
import type { Exchange } from '../exchange.ts';
import { objectReply, successStatus } from '../reply.ts';
import { parseBody } from '../request-body.ts';
import { admissionOf } from './admission-request.ts';
import { type DeleteOptions, readDeleteOptions, removeObject } from './delete.ts';
import { isDryRun } from './write-options.ts';
import { takePlace } from './disruption-budget.ts';

const GVK = { group: 'policy', version: 'v1', kind: 'Eviction' };
const EVICTED: PodCondition = {
  type: 'DisruptionTarget',
  status: 'True',
  reason: 'EvictionByEvictionAPI',
  message: 'Eviction API: evicting',
};

/** Evicts a pod. */
export async function evict(exchange: Exchange): Promise<Reply> {
  const { definition, info, server } = exchange;
  const name = info.name ?? '';
  const options = await admittedOptions(exchange, name);
  const at = { definition, namespace: info.namespace, name };
  const pod = server.registry.get(at).object() as unknown as Pod;
  let { resourceVersion } = options;
  if (isMeant(pod, options)) {
    await takePlace(server, pod, options);
    const written = await server.registry.update(
      at,
      (old) => ({ kind: 'put', object: marked(old, server.clock.now()) }),
      options,
    );
    if (resourceVersion && !options.dryRun) {
      resourceVersion = written.stored.object().metadata.resourceVersion;
    }
  }
  await removeObject(exchange, name, { ...options, resourceVersion });
  return objectReply({ ...successStatus({}), code: 201 }, 201);
}

/** What the Eviction says of the delete, once admission has seen it. Throws BadRequest for one of another pod. */
async function admittedOptions(exchange: Exchange, name: string): Promise<DeleteOptions> {
  const { info, request, server } = exchange;
  const { value = {} } = parseBody(request);
  const { object } = decodeObject('io.k8s.api.policy.v1.Eviction', value, { gvk: GVK });
  const eviction = object as unknown as Eviction;
  eviction.metadata ??= {};
  const { metadata } = eviction;
  if (metadata.name && metadata.name !== name)
    throw badRequest('name in URL does not match name in Eviction object');
  metadata.name = name;
  metadata.namespace = info.namespace;
  const dryRun = deleteOptionsIn(exchange, eviction).dryRun;
  const admission = admissionOf(exchange, { operation: 'create', object, dryRun });
  await server.admission.mutate(admission);
  await server.admission.validate(admission);
  return { ...deleteOptionsIn(exchange, eviction), evicts: true };
}

function deleteOptionsIn({ request }: Exchange, { deleteOptions }: Eviction): DeleteOptions {
  const inner = { ...request, body: { ...deleteOptions } as never };
  const options = readDeleteOptions({ request: inner });
  return { ...options, dryRun: options.dryRun || isDryRun(request.query) };
}

/** Is it the pod that the preconditions speak of? The delete refuses another one. */
function isMeant({ metadata }: Pod, { uid, resourceVersion }: DeleteOptions): boolean {
  const versionFits = resourceVersion === undefined || resourceVersion === metadata.resourceVersion;
  return versionFits && (uid === undefined || uid === metadata.uid);
}

function marked(old: LooseObject, nowMs: number): LooseObject {
  const { status = {} } = old as unknown as Pod;
  return {
    ...old,
    status: { ...status, conditions: setCondition(status.conditions, EVICTED, nowMs) },
  };
}
