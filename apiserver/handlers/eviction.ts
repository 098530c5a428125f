// POST pods/NAME/eviction: a delete that disruption budgets may refuse. There are no budgets yet, so none does.
import type { Reply } from '../../api/wire/exchange.ts';
import type { Exchange } from '../exchange.ts';
import { objectReply, successStatus } from '../reply.ts';
import { parseBody } from '../request-body.ts';
import { readDeleteOptions, removeObject } from './delete.ts';

/** Evicts a pod. */
export async function evict(exchange: Exchange): Promise<Reply> {
  const { request, info } = exchange;
  const eviction = (parseBody(request).value ?? {}) as { deleteOptions?: object };
  const inner = { ...request, body: { ...eviction.deleteOptions } as never };
  await removeObject(exchange, info.name ?? '', readDeleteOptions({ request: inner }));
  return objectReply({ ...successStatus({}), code: 201 }, 201);
}
