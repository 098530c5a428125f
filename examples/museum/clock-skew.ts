// Museum: a controller that reckons an object's age from the server's timestamp and the clock of its own machine.
// Published: knative/serving#561 (a creation time compared with time.Now() of another machine), and the warning about time skew in
// Kubernetes' documentation of the TTL-after-finished controller. The wrong one ends sessions early where its clock is ahead. The right one asks
// the server for the present, by the creation time of an object that is not stored: both times are from one clock.
import { type Client, type ConfigMap, ConfigMaps, isNotFound } from 'pinnace/client';
import { controllerFor, requeueAfter } from 'pinnace/controllers';
import { type ClusterState, type Program, scenario } from 'pinnace/testing';

const LIFE_MS = 60_000;
/** Creation times are in whole seconds. */
const ROUNDING_MS = 1000;

const timeOf = ({ metadata }: ConfigMap): number => Date.parse(metadata.creationTimestamp ?? '');

/** The server's time. */
async function serverNow(client: Client): Promise<number> {
  const metadata = { namespace: 'default', generateName: 'what-time-is-it-' };
  const asked = { apiVersion: 'v1', kind: 'ConfigMap', metadata };
  return timeOf(await client.resource(ConfigMaps).create(asked, { dryRun: true }));
}

const sessions = (isByServer: boolean): Program => ({
  controllers: () => [
    controllerFor(ConfigMaps)
      .named('sessions')
      .where(({ metadata }) => metadata.labels?.['session'] !== undefined)
      .reconcile(async (session, { client, clock, resource }) => {
        const now = isByServer ? await serverNow(client) : clock.now();
        const leftMs = timeOf(session) + LIFE_MS - now;
        if (leftMs > 0) return requeueAfter(leftMs);
        const { namespace, name = '', uid = '' } = session.metadata;
        try {
          await resource.delete({ namespace, name }, { preconditions: { uid } });
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
        return undefined;
      }),
  ],
});

function livesOf({ writes }: ClusterState): number[] {
  const ends = writes.filter(({ type }) => type === 'deleted');
  return ends.map((end) => {
    const isSame = (write: (typeof writes)[number]) =>
      write.type === 'created' && write.object.metadata.uid === end.object.metadata.uid;
    return end.atMs - (writes.find(isSame)?.atMs ?? 0);
  });
}

const named = (name: string, program: Program) =>
  scenario({
    name,
    programs: { sessions: program },
    async story({ client, sleep }) {
      for (const session of ['morning', 'noon']) {
        const metadata = { namespace: 'default', name: session, labels: { session } };
        await client.resource(ConfigMaps).create({ apiVersion: 'v1', kind: 'ConfigMap', metadata });
        await sleep(10_000);
      }
    },
    always: {
      'a session lasts for its minute': (state) =>
        livesOf(state).every((ms) => ms >= LIFE_MS - ROUNDING_MS) ||
        `sessions lasted for ${livesOf(state).join(' ms, ')} ms`,
    },
    eventually: {
      'no session lasts for ever': (state) =>
        state.list(ConfigMaps, { labelSelector: 'session' }).length === 0,
    },
    within: 3 * LIFE_MS,
  });

/** Believes its own clock. */
export const wrong = named('clock skew: wrong', sessions(false));
/** Compares times of one clock only. */
export const right = named('clock skew: right', sessions(true));
