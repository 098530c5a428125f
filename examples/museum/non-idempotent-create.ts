// Museum: a controller that makes a machine, then notes which one, and makes a second one where the note is lost.
// Published: kubernetes-sigs/cluster-api-provider-aws#6131 (the id of the new EC2 instance is written in a later patch; where that fails, the
// next reconcile knows of no instance and runs another one), #1351. Its caches are never wrong here: what is wrong is that the order of
// two writes is taken for one. The right one orders by a token that follows from the machine, so that ordering twice is ordering once.
// A Pod plays the machine at the provider's.
import { type ConfigMap, ConfigMaps, isAlreadyExists, type Pod, Pods } from 'pinnace/client';
import { controllerFor } from 'pinnace/controllers';
import { type ClusterState, type Program, scenario } from 'pinnace/testing';

const at = { namespace: 'default', name: 'machine' };

const instance = (metadata: Pod['metadata']): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { ...metadata, namespace: 'default', labels: { machine: at.name } },
  spec: { containers: [{ name: 'machine', image: 'machine:1' }] },
});

/** Notes the instance in the machine, which `order` gets by whatever means. */
const machines = (order: (make: (pod: Pod) => Promise<Pod>) => Promise<string>): Program => ({
  controllers: () => [
    controllerFor(ConfigMaps)
      .named('machines')
      .where(({ metadata }) => metadata.name === at.name)
      .reconcile(async ({ data }, { client, resource }) => {
        if (data?.['instance'] !== undefined) return;
        const id = await order((pod) => client.resource(Pods).create(pod));
        await resource.patch(at, { type: 'merge', body: { data: { instance: id } } });
      }),
  ],
});

const wrongMachines = machines(async (make) => {
  const made = await make(instance({ generateName: 'i-' }));
  return made.metadata.name ?? '';
});

const rightMachines = machines(async (make) => {
  const name = `i-${at.name}`;
  try {
    await make(instance({ name }));
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
  return name;
});

const instancesOf = (state: ClusterState): Pod[] =>
  state.list(Pods, { labelSelector: `machine=${at.name}` });

const named = (name: string, program: Program) =>
  scenario({
    name,
    programs: { machines: program },
    async story({ client }) {
      const machine: ConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: at };
      await client.resource(ConfigMaps).create(machine);
    },
    always: {
      'a machine is paid for once': (state) => instancesOf(state).length <= 1,
    },
    eventually: {
      'a machine knows its instance': (state) =>
        state.get(ConfigMaps, at)?.data?.['instance'] === instancesOf(state)[0]?.metadata.name,
    },
  });

/** Pays for two instances. */
export const wrong = named('non-idempotent create: wrong', wrongMachines);
/** Orders the same instance however often it asks. */
export const right = named('non-idempotent create: right', rightMachines);
