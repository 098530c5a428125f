// Museum: a controller that writes back the whole object as its cache has it, and so undoes what somebody wrote meanwhile.
// Published: higress-group/higress#4385 (a ConfigMap written without its resourceVersion, which the server takes without a question), and
// kptdev/kpt#3991 (a server without that question, and controllers that fight). The wrong one takes the resourceVersion out so that
// "conflicts go away"; the right one writes its own field alone.
import { type ConfigMap, ConfigMaps } from 'pinnace/client';
import { controllerFor } from 'pinnace/controllers';
import { type Program, scenario } from 'pinnace/testing';

const at = { namespace: 'default', name: 'door' };

const wrongPainter: Program = {
  controllers: () => [
    controllerFor(ConfigMaps)
      .named('painter')
      .where(({ metadata }) => metadata.name === at.name)
      .reconcile(async (door, { resource }) => {
        const { resourceVersion: _, ...metadata } = door.metadata;
        const { colour = '' } = door.data ?? {};
        if (door.data?.['painted'] === colour) return;
        await resource.update({ ...door, metadata, data: { ...door.data, painted: colour } });
      }),
  ],
};

const rightPainter: Program = {
  controllers: () => [
    controllerFor(ConfigMaps)
      .named('painter')
      .where(({ metadata }) => metadata.name === at.name)
      .reconcile(async (door, { resource }) => {
        const { colour = '' } = door.data ?? {};
        if (door.data?.['painted'] === colour) return;
        await resource.patch(at, { type: 'merge', body: { data: { painted: colour } } });
      }),
  ],
};

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
      await sleep(1000);
      await doors.patch(at, { type: 'merge', body: { data: { colour: 'green' } } });
    },
    eventually: {
      'the colour is what its owner chose last': (state) =>
        state.get(ConfigMaps, at)?.data?.['colour'] === 'green',
      'the door is painted in it': (state) =>
        state.get(ConfigMaps, at)?.data?.['painted'] === 'green',
    },
  });

/** Undoes its owner's choice where that comes while it paints. */
export const wrong = named('lost update: wrong', wrongPainter);
/** Writes what is its own. */
export const right = named('lost update: right', rightPainter);
