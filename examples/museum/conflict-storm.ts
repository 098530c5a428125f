// Museum: a write that is tried again after each conflict, from the same old copy in the cache, as fast as the server answers.
// Published: stacklok/toolhive#3020 and gardener/gardener#4425 (retries on conflict spin until the cache has caught up; leave it to the work
// queue), DataDog/datadog-operator#3283. The wrong one has the helper that everybody writes; the right one has none: what it throws
// comes again after a while, and the cache has moved on.
import { type ConfigMap, ConfigMaps, isConflict } from 'pinnace/client';
import { controllerFor } from 'pinnace/controllers';
import { type Program, scenario } from 'pinnace/testing';

const at = { namespace: 'default', name: 'door' };

async function retryOnConflict(write: () => Promise<unknown>): Promise<void> {
  for (;;)
    try {
      await write();
      return;
    } catch (error) {
      if (!isConflict(error)) throw error;
    }
}

const painting = (attempt: (write: () => Promise<unknown>) => Promise<unknown>): Program => ({
  controllers: () => [
    controllerFor(ConfigMaps)
      .named('painter')
      .where(({ metadata }) => metadata.name === at.name)
      .reconcile(async (_, { informer, key, resource }) => {
        await attempt(async () => {
          const door = informer.get(key);
          const { colour = '', painted } = door?.data ?? {};
          if (!door || painted === colour) return;
          await resource.update({ ...door, data: { colour, painted: colour } });
        });
      }),
  ],
});

const named = (name: string, painter: Program) =>
  scenario({
    name,
    programs: { painter },
    async story({ client, sleep }) {
      const doors = client.resource(ConfigMaps);
      const door: ConfigMap = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: at,
        data: { colour: 'red' },
      };
      await doors.create(door);
      for (const colours of [['green'], ['white', 'black'], ['grey', 'blue']]) {
        for (const colour of colours)
          await doors.patch(at, { type: 'merge', body: { data: { colour } } });
        await sleep(1000);
      }
    },
    eventually: {
      'the door is painted as its owner chose last': (state) => {
        const { colour, painted } = state.get(ConfigMaps, at)?.data ?? {};
        return colour === 'blue' && painted === 'blue';
      },
    },
  });

/** Tries until it succeeds. */
export const wrong = named('conflict storm: wrong', painting(retryOnConflict));
/** Tries once, and again when the framework says so. */
export const right = named(
  'conflict storm: right',
  painting((write) => write()),
);
