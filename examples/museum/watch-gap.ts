// Museum: a cache written by hand that goes on after 410 Gone from where the server is now, and never learns what happened in between.
// Published: tomplus/kubernetes_asyncio#327 (starting again without the old revision works, and nobody knows that events were lost); the
// Kubernetes API concepts say what to do instead: forget everything, and list again. This goes round the framework, whose informers
// do so: it is a Set fed by a watch, as people write them around clients that have no informer to rely on.
import { type Client, type ConfigMap, ConfigMaps, isExpired } from 'pinnace/client';
import { type ClusterState, type Program, scenario, type SimulatedProcess } from 'pinnace/testing';

const census = { namespace: 'default', name: 'census' };
const guests = { namespace: 'default', labelSelector: 'guest' };

/** Until it succeeds, once a second. */
async function persist<T>({ clock }: SimulatedProcess, work: () => Promise<T>): Promise<T> {
  for (;;)
    try {
      return await work();
    } catch {
      await clock.sleep(1000);
    }
}

async function write(client: Client, known: ReadonlySet<string>): Promise<void> {
  const configs = client.resource(ConfigMaps);
  const before = await configs.get(census);
  await configs.update({ ...before, data: { guests: [...known].sort().join() } });
}

/** Lists and watches. After a gap: lists again, or only asks how far the server is. */
const counting = (afterGap: 'list' | 'go on'): Program => ({
  async run(process, signal) {
    const { client, clock } = process;
    const configs = client.resource(ConfigMaps);
    const known = new Set<string>();
    let from: string | undefined;
    let readsAll = true;
    while (!signal.aborted) {
      if (from === undefined) {
        const { items, metadata } = await persist(process, () => configs.list(guests));
        from = metadata.resourceVersion;
        if (readsAll) {
          known.clear();
          for (const guest of items) known.add(guest.metadata.name ?? '');
        }
        await persist(process, () => write(client, known));
      }
      try {
        for await (const events of configs.watch({ ...guests, resourceVersion: from, signal }))
          for (const { type, object } of events) {
            if (type === 'DELETED') known.delete(object.metadata.name ?? '');
            else known.add(object.metadata.name ?? '');
            await persist(process, () => write(client, known));
            from = object.metadata.resourceVersion;
          }
      } catch (error) {
        if (isExpired(error)) {
          from = undefined;
          readsAll = afterGap === 'list';
        }
      }
      await clock.sleep(1000, signal);
    }
  },
});

const countOf = (state: ClusterState): string =>
  state.get(ConfigMaps, census)?.data?.['guests'] ?? '';

const named = (name: string, counter: Program) =>
  scenario({
    name,
    programs: { counter },
    async setUp({ client }) {
      const empty: ConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: census };
      await client.resource(ConfigMaps).create(empty);
    },
    async story({ client, sleep }) {
      const configs = client.resource(ConfigMaps);
      for (const guest of ['emma', 'zoe']) {
        const metadata = { namespace: 'default', name: guest, labels: { guest } };
        await configs.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata });
        await sleep(1000);
      }
      await configs.delete({ namespace: 'default', name: 'emma' });
    },
    eventually: {
      'the census names those who are there': (state) =>
        countOf(state) === 'zoe' || `it names: ${countOf(state)}`,
    },
  });

/** Goes on from the present. */
export const wrong = named('watch gap: wrong', counting('go on'));
/** Begins anew. */
export const right = named('watch gap: right', counting('list'));
