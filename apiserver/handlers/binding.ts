// POST pods/NAME/binding: gives a pod its node, once.
import type { Pod, PodCondition } from '../../api/generated/types.ts';
import { setCondition } from '../../api/meta/conditions.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import { badRequest, conflict } from '../../api/status.ts';
import type { Reply } from '../../api/wire/exchange.ts';
import type { Exchange } from '../exchange.ts';
import { objectReply, successStatus } from '../reply.ts';
import { parseBody } from '../request-body.ts';
import { isDryRun } from './decoding.ts';

interface Binding {
  readonly target?: { readonly kind?: string; readonly name?: string };
  readonly metadata?: { readonly uid?: string };
}

/** Binds a pod that has no node. Throws Conflict when it has one, or is being deleted. */
export async function bind(exchange: Exchange): Promise<Reply> {
  const { definition, info, request, server } = exchange;
  const name = info.name ?? '';
  const binding = parseBody(request).value as Binding | undefined;
  const node = binding?.target?.name;
  if (!node) throw badRequest('target.name: Required value: the node to bind to');
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
