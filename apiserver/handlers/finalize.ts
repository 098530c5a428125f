// PUT namespaces/NAME/finalize: sets the finalizers in a namespace's spec; without any, an ending namespace goes.
import type { LooseObject } from '../../api/meta/object.ts';
import { conflict } from '../../api/status.ts';
import type { Reply } from '../../api/wire/exchange.ts';
import type { Exchange } from '../exchange.ts';
import { storedReply } from '../reply.ts';
import { admissionOf } from './admission-request.ts';
import { decodeBody } from './decoding.ts';
import { isDryRun } from './write-options.ts';
import { keepOwners, setOwners, writerOf } from './ownership.ts';
import { isGone } from './update.ts';

/** Replaces spec.finalizers. */
export async function finalize(exchange: Exchange): Promise<Reply> {
  const { definition, info, request, server } = exchange;
  const writer = writerOf(exchange, 'all but status');
  const wanted = decodeBody(exchange);
  const { resourceVersion } = wanted.metadata;
  const at = { definition, namespace: '', name: info.name ?? '' };
  const written = await server.registry.update(
    at,
    async (old) => {
      if (resourceVersion && resourceVersion !== old.metadata.resourceVersion)
        throw conflict(definition.ref, at.name);
      const object = withFinalizersOf(wanted, old);
      await keepOwners(writer, { before: old, after: object, submitted: undefined });
      const admission = admissionOf(exchange, { operation: 'update', object, old });
      if (await server.admission.mutate(admission)) {
        const { managedFields: owners } = object.metadata;
        Object.assign(object, withFinalizersOf(object, old));
        setOwners(object, owners);
      }
      await server.admission.validate(admission);
      return isGone(object) ? { kind: 'delete' } : { kind: 'put', object };
    },
    { dryRun: isDryRun(request.query) },
  );
  return storedReply(written.stored);
}

/** The stored namespace with nothing but its finalizers replaced. */
function withFinalizersOf(wanted: LooseObject, old: LooseObject): LooseObject {
  const { finalizers = [] } = (wanted['spec'] ?? {}) as { finalizers?: string[] };
  const spec = { ...(old['spec'] as object), finalizers };
  return { ...old, metadata: { ...old.metadata }, spec };
}
