// Museum: a delete by name that hits another object, which has the name by now.
// Published: instaclustr/cassandra-operator#402 and datastax/cass-operator#412 (an operator that goes by an old deletion takes the volume of the
// cluster which was made anew under the same name). The wrong one deletes what is called so; the right one deletes what it has seen,
// by uid and resourceVersion, and is refused where that is not what is there.
import { type ConfigMap, ConfigMaps, type DeleteOptions, isNotFound } from 'pinnace/client';
import { controllerFor } from 'pinnace/controllers';
import { type Program, scenario } from 'pinnace/testing';

const at = { namespace: 'default', name: 'nightly' };
const stateOf = ({ metadata }: ConfigMap): string => metadata.labels?.['job'] ?? '';

const cleaning = (preconditions: (job: ConfigMap) => DeleteOptions): Program => ({
  controllers: () => [
    controllerFor(ConfigMaps)
      .named('cleaner')
      .where((object) => stateOf(object) !== '')
      .reconcile(async (job, { resource }) => {
        if (stateOf(job) !== 'finished') return;
        const { namespace, name = '' } = job.metadata;
        try {
          await resource.delete({ namespace, name }, preconditions(job));
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
      }),
  ],
});

const named = (name: string, cleaner: Program) =>
  scenario({
    name,
    programs: { cleaner },
    async story({ client, sleep }) {
      const jobs = client.resource(ConfigMaps);
      const job = (state: string): ConfigMap => ({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { ...at, labels: { job: state } },
      });
      await jobs.create(job('finished'));
      await sleep(1000);
      await jobs.delete(at).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
      await jobs.create(job('running'));
      await sleep(1000);
    },
    always: {
      'no job is cleaned away while it runs': ({ writes }) =>
        writes.every(
          ({ by, type, object }) =>
            by === 'story' || type !== 'deleted' || stateOf(object as ConfigMap) !== 'running',
        ),
    },
    eventually: {
      'the job of tonight is there': (state) => state.get(ConfigMaps, at) !== undefined,
    },
  });

/** Deletes whatever is called so. */
export const wrong = named(
  'stale delete: wrong',
  cleaning(() => ({})),
);
/** Deletes what it has seen. */
export const right = named(
  'stale delete: right',
  cleaning(({ metadata: { uid = '', resourceVersion = '' } }) => ({
    preconditions: { uid, resourceVersion },
  })),
);
