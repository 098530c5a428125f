// Museum: a leader that takes its lead for a lock, stands still for a minute, and goes on beside its successor.
// Published: the documentation of client-go's tools/leaderelection (it does not promise that only one client acts as the leader, and does no
// fencing). The wrong one counts on nobody else writing the counter while it leads; the right one's writes carry the revision that it
// read: of two leaders one meets a conflict. The framework begins no reconcile once the lead is lost; one that is under way goes on.
import { type ConfigMap, ConfigMaps, type ResourceClient } from 'pinnace/client';
import { controllerFor } from 'pinnace/controllers';
import { type ClusterState, type Program, scenario } from 'pinnace/testing';

const counter = { namespace: 'default', name: 'counter' };
const numberOf = ({ data }: ConfigMap): number => Number(data?.['number'] ?? 0);
const isGuest = ({ metadata }: ConfigMap): boolean => metadata.labels?.['guest'] !== undefined;

type Write = (configs: ResourceClient<ConfigMap>, config: ConfigMap, number: string) => unknown;

/** Gives each guest the next number. */
const numbers = (write: Write): Program => ({
  replicas: 2,
  leaderElection: true,
  controllers: () => [
    controllerFor(ConfigMaps)
      .named('numbers')
      .where(isGuest)
      .reconcile(async (guest, { resource }) => {
        if (numberOf(guest) > 0) return;
        const last = await resource.get(counter);
        const number = String(numberOf(last) + 1);
        await write(resource, last, number);
        await write(resource, guest, number);
      }),
  ],
});

const byName: Write = (configs, { metadata: { namespace, name = '' } }, number) =>
  configs.patch({ namespace, name }, { type: 'merge', body: { data: { number } } });

const byRevision: Write = (configs, config, number) =>
  configs.update({ ...config, data: { number } });

/** In another order than their names'. */
const GUESTS = ['zoe', 'emma', 'noah', 'adam', 'lena', 'carl'];

const guestsOf = (state: ClusterState): ConfigMap[] =>
  state.list(ConfigMaps, { namespace: 'default', labelSelector: 'guest' });

const named = (name: string, program: Program) =>
  scenario({
    name,
    programs: { numbers: program },
    async setUp({ client }) {
      const first: ConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: counter };
      await client.resource(ConfigMaps).create(first);
    },
    async story({ client, sleep }) {
      for (const guest of GUESTS) {
        await sleep(5000);
        const metadata = { namespace: 'default', name: guest, labels: { guest } };
        await client.resource(ConfigMaps).create({ apiVersion: 'v1', kind: 'ConfigMap', metadata });
      }
    },
    always: {
      'no two guests have the same number': (state) => {
        const numbers = guestsOf(state)
          .map(numberOf)
          .filter((number) => number > 0);
        return new Set(numbers).size === numbers.length || `numbers: ${numbers.join()}`;
      },
    },
    eventually: {
      'every guest has a number': (state) =>
        guestsOf(state).every((guest) => numberOf(guest) > 0) &&
        guestsOf(state).length === GUESTS.length,
    },
  });

/** Two of them give the same number to two guests. */
export const wrong = named('two leaders: wrong', numbers(byName));
/** Two of them do no harm. */
export const right = named('two leaders: right', numbers(byRevision));
