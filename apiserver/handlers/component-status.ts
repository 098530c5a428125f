// ComponentStatuses: asked of the parts themselves at each request, as upstream does; nothing is stored.
// Invariant: a part that cannot say that it is well is shown as not well.
import { componentStatus } from '../../api/core/component-status.ts';
import { apiVersionOf } from '../../api/kind-ref.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import { notFound } from '../../api/status.ts';
import { partialMetadata } from '../../api/wire/table.ts';
import type { Reply } from '../../api/wire/exchange.ts';
import type { Exchange } from '../exchange.ts';
import type { ComponentCheck } from '../options.ts';
import { objectReply } from '../reply.ts';
import { objectPresenter, presentationOf, tableOf } from './presentation.ts';
import { selectionOf } from './selection.ts';

/** Answers one. */
export async function getComponent(exchange: Exchange): Promise<Reply> {
  const { definition, info, server } = exchange;
  const show = objectPresenter(exchange);
  const check = server.components.find(({ name }) => name === info.name);
  if (!check) throw notFound(definition.ref, info.name ?? '');
  const object = await ask(check);
  return show({ bytes: Buffer.from(JSON.stringify(object)), object: () => object });
}

/** Answers all. */
export async function listComponents(exchange: Exchange): Promise<Reply> {
  const { definition, server } = exchange;
  const form = presentationOf(exchange);
  const { predicate } = selectionOf(exchange);
  const all = await Promise.all(server.components.map(ask));
  const items = predicate ? all.filter(predicate) : all;
  if (form === 'table') {
    return objectReply(tableOf(exchange, items, { listMeta: {}, columns: true }));
  }
  const metadata = form === 'metadata';
  return objectReply({
    kind: metadata ? 'PartialObjectMetadataList' : definition.listKind,
    apiVersion: metadata ? 'meta.k8s.io/v1' : apiVersionOf(definition.ref),
    metadata: {},
    items: metadata ? items.map(partialMetadata) : items,
  });
}

async function ask(component: ComponentCheck): Promise<LooseObject> {
  let health: { healthy: boolean; message: string };
  try {
    const well = await component.healthy();
    health = { healthy: well, message: well ? 'ok' : 'not running' };
  } catch (error) {
    health = { healthy: false, message: error instanceof Error ? error.message : String(error) };
  }
  return { ...componentStatus(component.name, health) };
}
