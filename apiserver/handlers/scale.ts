// The scale subresource: how many replicas are asked for, and are there (autoscaling/v1 Scale).
import { table } from '../../base/table.ts';
import { scaleColumns } from '../../api/autoscaling/scale-columns.ts';
import { SCALE_SCHEMA, type Scale, scaleOf } from '../../api/autoscaling/scale-of.ts';
import { apiVersionOf } from '../../api/kind-ref.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import { decodeObject } from '../../api/schema/decode.ts';
import { badRequest, conflict, StatusError } from '../../api/status.ts';
import type { Reply } from '../../api/wire/exchange.ts';
import type { Exchange } from '../exchange.ts';
import { applyJsonPatch } from '../patch/json-patch.ts';
import { applyMergePatch } from '../patch/merge-patch.ts';
import { structuredCopy } from '../registry/preparation.ts';
import type { Written } from '../registry/registry.ts';
import { mediaType, parseBody, unsupported } from '../request-body.ts';
import { applierFor, applyToLive, readConfig } from './apply.ts';
import { valuePresenter } from './presentation.ts';
import { changeObject } from './update.ts';
import { APPLY_TYPE } from './write-options.ts';

const GVK = { group: 'autoscaling', version: 'v1', kind: 'Scale' };

/** A Scale has no lists, so a strategic merge is a merge. */
const PATCHES: Readonly<Record<string, (current: Scale, patch: unknown) => object>> = table({
  'application/json-patch+json': applyJsonPatch,
  'application/merge-patch+json': applyMergePatch,
  'application/strategic-merge-patch+json': applyMergePatch,
});

/** Reads, replaces or patches the scale. */
export async function scale(exchange: Exchange): Promise<Reply> {
  const { definition, info, server } = exchange;
  const access = definition.scale;
  if (!access)
    throw new StatusError('NotFound', 'the server could not find the requested resource');
  const present = valuePresenter(exchange, scaleColumns);
  const show = (object: LooseObject) => present(scaleOf(access, object));
  if (info.verb === 'get') {
    const at = { definition, namespace: info.namespace, name: info.name ?? '' };
    return show((await server.registry.served(at)).object());
  }
  if (info.verb === 'patch' && mediaType(exchange.request) === APPLY_TYPE)
    return show((await applyScale(exchange)).stored.object());
  const written = await changeObject(exchange, 'all but status', (old) => {
    const wanted = wantedScale(exchange, scaleOf(access, old));
    const { resourceVersion } = wanted.metadata;
    if (resourceVersion && resourceVersion !== old.metadata.resourceVersion)
      throw conflict(definition.ref, info.name ?? '');
    const replicas = wanted.spec?.replicas ?? 0;
    if (replicas < 0) throw negative(replicas);
    const { managedFields: _, ...metadata } = old.metadata;
    const scaled = access.withReplicas({ ...old, metadata }, replicas);
    return structuredCopy(scaled) as LooseObject;
  });
  return show(written.stored.object());
}

/** What is applied to a Scale is applied to the object: its replicas, owned through the subresource. */
function applyScale(exchange: Exchange): Promise<Written> {
  const { definition, info } = exchange;
  const applier = applierFor(exchange, 'all but status');
  const { metadata, spec } = readConfig(exchange, { ref: GVK, schemaName: SCALE_SCHEMA }) as Scale;
  if ((spec?.replicas ?? 0) < 0) throw negative(spec?.replicas);
  const { resourceVersion, uid, name = info.name } = metadata;
  const config = {
    apiVersion: apiVersionOf(definition.ref),
    kind: definition.ref.kind,
    metadata: dropUndefined({ resourceVersion, uid, name }),
    ...(spec?.replicas !== undefined && { spec: { replicas: spec.replicas } }),
  } as LooseObject;
  return applyToLive(exchange, { part: 'all but status', applier, config });
}

const negative = (replicas: number | undefined) =>
  badRequest(`spec.replicas: Invalid value: ${replicas}: must be greater than or equal to 0`);

const dropUndefined = (metadata: object) =>
  JSON.parse(JSON.stringify(metadata)) as LooseObject['metadata'];

function wantedScale(exchange: Exchange, present: Scale): Scale {
  const { request, info } = exchange;
  if (info.verb !== 'patch') {
    const { value } = parseBody(request);
    if (value === undefined) throw badRequest('a request body is needed: the scale');
    return decodeObject(SCALE_SCHEMA, value, { gvk: GVK }).object as Scale;
  }
  const apply = PATCHES[mediaType(request)];
  if (!apply) throw unsupported(mediaType(request), [...Object.keys(PATCHES), APPLY_TYPE]);
  const { value } = parseBody({ ...request, headers: { 'content-type': 'application/json' } });
  if (value === undefined) throw badRequest('a request body is needed: the patch');
  return decodeObject(SCALE_SCHEMA, apply(present, value), { gvk: GVK }).object as Scale;
}
