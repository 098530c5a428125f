// POST pods/NAME/binding: gives a pod its node, once.
import type { Pod, PodCondition } from '../../api/generated/types.ts';
import { setCondition } from '../../api/meta/conditions.ts';
import { dnsSubdomain } from '../../api/meta/names.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import { decodeObject } from '../../api/schema/decode.ts';
import { badRequest, conflict } from '../../api/status.ts';
import type { Reply } from '../../api/wire/exchange.ts';
import type { Exchange } from '../exchange.ts';
import { objectReply, successStatus } from '../reply.ts';
import { parseBody } from '../request-body.ts';
import { isDryRun } from './decoding.ts';

interface Binding extends LooseObject {
  readonly target?: { readonly kind?: string; readonly name?: string };
}

/** The node that a binding names. Throws BadRequest for a binding of another pod, or to anything but a node. */
function nodeOf({ metadata, target }: Binding, pod: string): string {
  if (metadata?.name && metadata.name !== pod)
    throw badRequest('the name in the Binding does not match the pod on the URL');
  if (target?.kind && target.kind !== 'Node')
    throw badRequest(`target.kind: Unsupported value: "${target.kind}": supported values: "Node"`);
  const wrong = target?.name ? dnsSubdomain(target.name) : 'the node to bind to is required';
  if (wrong !== undefined) throw badRequest(`target.name: Invalid value: ${wrong}`);
  return target?.name ?? '';
}

/** Binds a pod that has no node. Throws Conflict when it has one, is being deleted, or is gated. */
export async function bind(exchange: Exchange): Promise<Reply> {
  const { definition, info, request, server } = exchange;
  const name = info.name ?? '';
  const { value } = parseBody(request);
  if (value === undefined) throw badRequest('a request body is needed: the Binding');
  const gvk = { group: '', version: 'v1', kind: 'Binding' };
  const binding = decodeObject('io.k8s.api.core.v1.Binding', value, { gvk }).object as Binding;
  const node = nodeOf(binding, name);
  await server.registry.update(
    { definition, namespace: info.namespace, name },
    (old) => {
      const pod = old as unknown as Pod;
      const refuse = (why: string) => conflict(definition.ref, name, why);
      const uid = binding?.metadata?.uid;
      if (uid && uid !== pod.metadata.uid) throw refuse('the UID in the binding is of another pod');
      if (pod.metadata.deletionTimestamp)
        throw refuse(`pod ${name} is being deleted, cannot be assigned to a host`);
      if (pod.spec?.nodeName)
        throw refuse(`pod ${name} is already assigned to node "${pod.spec.nodeName}"`);
      if (pod.spec?.schedulingGates?.length)
        throw refuse(`pod ${name} has non-empty .spec.schedulingGates`);
      return { kind: 'put', object: bound(pod, node, server.clock.now()) };
    },
    { dryRun: isDryRun(request.query) },
  );
  return objectReply({ ...successStatus({}), code: 201 }, 201);
}

function bound(pod: Pod, nodeName: string, nowMs: number): LooseObject {
  const scheduled: PodCondition = { type: 'PodScheduled', status: 'True' };
  return {
    ...pod,
    spec: { ...pod.spec, nodeName },
    status: { ...pod.status, conditions: setCondition(pod.status?.conditions, scheduled, nowMs) },
  } as unknown as LooseObject;
}
