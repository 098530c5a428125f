// Museum: a watch that is opened again at once, from the same revision, whatever it ended by; by 410 Gone it ends for ever.
// Published: folio-pro/kdashboard#59 (every reconnect sends the revision that has expired), and likewise in many programs on clients that
// leave the loop to their users. This goes round the framework, whose informers list again after 410 and wait ever longer after failures.
// The right one does the same by hand.
import { type ConfigMap, ConfigMaps, isExpired, isNotFound } from 'pinnace/client';
import { type Program, scenario, type SimulatedProcess } from 'pinnace/testing';

const FIRST_PAUSE_MS = 100;
const LAST_PAUSE_MS = 10_000;
const guests = { namespace: 'default', labelSelector: 'guest' };

async function greet({ client }: SimulatedProcess, { data, metadata }: ConfigMap): Promise<void> {
  if (data?.['greeted'] !== undefined) return;
  const { namespace, name = '' } = metadata;
  const body = { data: { greeted: 'yes' } };
  try {
    await client.resource(ConfigMaps).patch({ namespace, name }, { type: 'merge', body });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** What became of the last try: the revision to go on from, none to list again. */
interface Failure {
  readonly error: unknown;
  readonly from: string | undefined;
  /** How many there were in a row, this one included. */
  readonly inARow: number;
}
type GoOn = (failure: Failure, process: SimulatedProcess) => Promise<string | undefined>;

/** Greets all that are there, and those who come. */
const greeting = (goOn: GoOn): Program => ({
  async run(process, signal) {
    const configs = process.client.resource(ConfigMaps);
    let from: string | undefined;
    let inARow = 0;
    while (!signal.aborted)
      try {
        if (from === undefined) {
          const { items, metadata } = await configs.list(guests);
          for (const guest of items) await greet(process, guest);
          from = metadata.resourceVersion;
        }
        for await (const events of configs.watch({ ...guests, resourceVersion: from, signal }))
          for (const { object } of events) {
            await greet(process, object);
            from = object.metadata.resourceVersion;
            inARow = 0;
          }
      } catch (error) {
        from = await goOn({ error, from, inARow: ++inARow }, process);
      }
  },
});

/** The connection broke, it seems: where were we? */
const atOnce: GoOn = ({ from }) => Promise.resolve(from);

const withCare: GoOn = async ({ error, from, inARow }, { clock }) => {
  await clock.sleep(Math.min(FIRST_PAUSE_MS * 2 ** inARow, LAST_PAUSE_MS));
  return isExpired(error) ? undefined : from;
};

const named = (name: string, greeter: Program) =>
  scenario({
    name,
    programs: { greeter },
    async story({ client, sleep }) {
      for (const guest of ['emma', 'zoe']) {
        const metadata = { namespace: 'default', name: guest, labels: { guest } };
        await client.resource(ConfigMaps).create({ apiVersion: 'v1', kind: 'ConfigMap', metadata });
        await sleep(1000);
      }
    },
    eventually: {
      'every guest is greeted': (state) =>
        state
          .list(ConfigMaps, { labelSelector: 'guest' })
          .every(({ data }) => data?.['greeted'] === 'yes'),
    },
  });

/** Asks for what has expired, for ever, as fast as it can. */
export const wrong = named('hot loop: wrong', greeting(atOnce));
/** Lists again after 410, and waits between failures. */
export const right = named('hot loop: right', greeting(withCare));
