// Museum: a leader that takes its lead for a lock, stands still for a minute, and goes on beside its successor.
// Published: the documentation of client-go's tools/leaderelection (it does not promise that only one client acts as the leader, and does no
// fencing). The wrong one counts on nobody else writing the counter while it leads; the right one's writes carry the revision that it
// read: of two leaders one meets a conflict. This goes round the framework: by the client that reconciles are given nothing is written
// once the lead is lost as far as one can know; both write by the process's own.
import { type ConfigMap, ConfigMaps, type ResourceClient } from 'pinnace/client';
import { controllerFor } from 'pinnace/controllers';
import { type ClusterState, type Program, scenario } from 'pinnace/testing';

const counter = { namespace: 'default', name: 'counter' };
const numberOf = ({ data }: ConfigMap): number => Number(data?.['number'] ?? 0);
const isGuest = ({ metadata }: ConfigMap): boolean => metadata.labels?.['guest'] !== undefined;

type Configs = ResourceClient<ConfigMap>;
type Write = (configs: Configs, config: ConfigMap, number: string) => unknown;
/** Of the client of the process and the one that the framework gives a reconcile, the one to use. */
type Way = (own: Configs, given: Configs) => Configs;

/** Gives each guest the next number. */
const numbers = (way: Way, write: Write): Program => ({
  replicas: 2,
  leaderElection: true,
  controllers: ({ client }) => [
    controllerFor(ConfigMaps)
      .named('numbers')
      .where(isGuest)
      .reconcile(async (guest, { resource }) => {
        if (numberOf(guest) > 0) return;
        const configs = way(client.resource(ConfigMaps), resource);
        const last = await configs.get(counter);
        const number = String(numberOf(last) + 1);
        await write(configs, last, number);
        await write(configs, guest, number);
      }),
  ],
});

const byOwn: Way = (own) => own;
const byGiven: Way = (_, given) => given;

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
export const wrong = named('two leaders: wrong', numbers(byOwn, byName));
/** Two of them do no harm. */
export const right = named('two leaders: right', numbers(byOwn, byRevision));
/** The framework keeps two of them from writing at once. */
export const fenced = named('two leaders: fenced', numbers(byGiven, byName));
