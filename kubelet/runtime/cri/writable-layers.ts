// What containers have written into their own file systems, as a runtime behind CRI tells it. Runtimes look at times of their own
// (containerd each 10 s), so what is told is a little old.
// Invariant: what the runtime does not know is left out, and so is everything where it does not know the question.
import { GrpcError, type GrpcConnection } from './grpc.ts';
import { OWNER_LABEL } from './sandbox-message.ts';
import { RUNTIME } from './services.ts';

/** By container id, for those of `ids` that are this owner's. Throws GrpcError when the runtime does not answer. */
export async function writableLayersOf(
  connection: GrpcConnection,
  owner: string,
  { ids, unit }: { ids: readonly string[]; unit: 'bytes' | 'inodes' },
): Promise<ReadonlyMap<string, number>> {
  const filter = { labels: { [OWNER_LABEL]: owner } };
  const { stats } = await connection
    .call(RUNTIME.listContainerStats, { filter })
    .catch((error: unknown) => {
      if (error instanceof GrpcError && error.code === 'UNIMPLEMENTED') return { stats: [] };
      throw error;
    });
  const asked = new Set(ids);
  const known = new Map<string, number>();
  for (const { attributes, writableLayer } of stats) {
    const { id = '' } = attributes ?? {};
    const used = unit === 'bytes' ? writableLayer?.usedBytes : writableLayer?.inodesUsed;
    if (used?.value !== undefined && asked.has(id)) known.set(id, used.value);
  }
  return known;
}
