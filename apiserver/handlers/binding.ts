// POST pods/NAME/binding, and POST bindings with the name inside: gives a pod its node, once.
import type { Binding, Pod, PodCondition } from '../../api/generated/types.ts';
import { Pods } from '../../api/kinds.ts';
import { setCondition } from '../../api/meta/conditions.ts';
import { dnsSubdomain } from '../../api/meta/names.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import { decodeObject } from '../../api/schema/decode.ts';
import { checkFields, parseFieldValidation } from '../../api/schema/field-validation.ts';
import { badRequest, conflict } from '../../api/status.ts';
import type { Reply } from '../../api/wire/exchange.ts';
import type { Exchange } from '../exchange.ts';
import { objectReply, successStatus } from '../reply.ts';
import { parseBody } from '../request-body.ts';
import { admissionOf } from './admission-request.ts';
import { isDryRun } from './write-options.ts';

const GVK = { group: '', version: 'v1', kind: 'Binding' };
/** What refusals are about, as upstream has it. */
const BINDINGS = { group: '', plural: 'pods/binding', kind: 'Binding' };

/** Binds a pod that has no node. Throws Conflict when it has one, is being deleted, is gated, or is another one than is meant. */
export async function bind(exchange: Exchange): Promise<Reply> {
  const { info, request, server } = exchange;
  const binding = bindingIn(exchange);
  const name = info.name ?? binding.metadata.name ?? '';
  const object = binding as unknown as LooseObject;
  const admission = admissionOf(exchange, { operation: 'create', object, name });
  await server.admission.mutate(admission);
  await server.admission.validate(admission);
  const node = nodeOf(binding);
  const definition = server.scheme.byResource('', 'v1', Pods.plural);
  if (!definition) throw new Error('there are no pods in the scheme');
  await server.registry.update(
    { definition, namespace: info.namespace, name },
    (old) => {
      const pod = old as unknown as Pod;
      const why = whyNot(pod, binding);
      if (why !== undefined) throw conflict(BINDINGS, name, why);
      return { kind: 'put', object: bound(pod, binding, { node, nowMs: server.clock.now() }) };
    },
    { dryRun: isDryRun(request.query) },
  );
  return objectReply({ ...successStatus({}), code: 201 }, 201);
}

/** The Binding in the body, fit for the URL. Throws BadRequest. */
function bindingIn({ info, request, warnings }: Exchange): Binding {
  const { value, duplicates } = parseBody(request);
  if (value === undefined) throw badRequest('a request body is needed: the Binding');
  const { object, unknownFields } = decodeObject('io.k8s.api.core.v1.Binding', value, { gvk: GVK });
  const level = parseFieldValidation(request.query.get('fieldValidation'));
  const duplicateFields = level === 'Ignore' ? [] : duplicates();
  warnings.push(...checkFields(level, GVK, { unknownFields, duplicateFields }));
  const binding = object as unknown as Binding;
  binding.metadata ??= {};
  const { name, namespace } = binding.metadata;
  if (namespace && namespace !== info.namespace)
    throw badRequest(
      'the namespace of the provided object does not match the namespace sent on the request',
    );
  if (info.name === undefined && !name)
    throw badRequest('metadata.name: Required value: the pod to bind is required');
  if (info.name !== undefined && name && name !== info.name)
    throw badRequest('the name in the Binding does not match the pod on the URL');
  return binding;
}

/** The node that a binding names. Throws BadRequest for anything but a node. */
function nodeOf({ target }: Binding): string {
  if (target?.kind && target.kind !== 'Node')
    throw badRequest(`target.kind: Unsupported value: "${target.kind}": supported values: "Node"`);
  const wrong = target?.name ? dnsSubdomain(target.name) : 'the node to bind to is required';
  if (wrong !== undefined) throw badRequest(`target.name: Invalid value: ${wrong}`);
  return target?.name ?? '';
}

function whyNot({ metadata, spec }: Pod, binding: Binding): string | undefined {
  const { uid, resourceVersion } = binding.metadata ?? {};
  const unlike = (what: string, [asked, found]: readonly (string | undefined)[]) =>
    `Precondition failed: ${what} in precondition: ${asked}, ${what} in object meta: ${found}`;
  if (uid && uid !== metadata.uid) return unlike('UID', [uid, metadata.uid]);
  if (resourceVersion && resourceVersion !== metadata.resourceVersion)
    return unlike('ResourceVersion', [resourceVersion, metadata.resourceVersion]);
  if (metadata.deletionTimestamp)
    return `pod ${metadata.name} is being deleted, cannot be assigned to a host`;
  if (spec?.nodeName) return `pod ${metadata.name} is already assigned to node "${spec.nodeName}"`;
  if (spec?.schedulingGates?.length)
    return `pod ${metadata.name} has non-empty .spec.schedulingGates`;
  return undefined;
}

/** The pod with its node, and with what the binding notes on it. */
function bound(
  pod: Pod,
  { metadata }: Binding,
  { node, nowMs }: { node: string; nowMs: number },
): LooseObject {
  const scheduled: PodCondition = { type: 'PodScheduled', status: 'True' };
  const { annotations } = pod.metadata;
  const notes = metadata?.annotations;
  return {
    ...pod,
    metadata: notes ? { ...pod.metadata, annotations: { ...annotations, ...notes } } : pod.metadata,
    spec: { ...pod.spec, nodeName: node },
    status: { ...pod.status, conditions: setCondition(pod.status?.conditions, scheduled, nowMs) },
  } as unknown as LooseObject;
}
