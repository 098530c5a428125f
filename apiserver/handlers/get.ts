// GET of one object: its stored bytes.
import { badRequest, StatusError } from '../../api/status.ts';
import type { Reply } from '../../api/wire/exchange.ts';
import type { Exchange } from '../exchange.ts';
import { objectPresenter } from './presentation.ts';

/** Answers the object. `resourceVersion` asks for a state at least that new. */
export async function get(exchange: Exchange): Promise<Reply> {
  const { definition, info, request, server } = exchange;
  const show = objectPresenter(exchange);
  await atLeast(exchange, request.query.get('resourceVersion'));
  const at = { definition, namespace: info.namespace, name: info.name ?? '' };
  return show(await server.registry.served(at));
}

/** Waits for what the asked resourceVersion needs: nothing for 0, a linearizable state for none, that revision otherwise. */
export async function atLeast({ server }: Exchange, asked: string | null): Promise<void> {
  if (asked === '0') return;
  if (asked === null || asked === '') {
    await server.store.barrier();
    return;
  }
  refuseFuture(server, parseRevision(asked));
}

/** Throws Timeout for a revision that is still to come; clients know it by its cause. */
export function refuseFuture({ store }: Exchange['server'], revision: bigint): void {
  if (revision <= store.revision) return;
  const message = `Too large resource version: ${revision}, current: ${store.revision}`;
  const cause = { reason: 'ResourceVersionTooLarge', message: 'Too large resource version' };
  throw new StatusError('Timeout', message, { details: { retryAfterSeconds: 1, causes: [cause] } });
}

/** A resourceVersion as a revision. Throws BadRequest. */
export function parseRevision(text: string): bigint {
  if (!/^\d{1,19}$/.test(text))
    throw badRequest(
      `resourceVersion: Invalid value: "${text}": strconv.ParseUint: parsing "${text}": invalid syntax`,
    );
  return BigInt(text);
}
