// A hundred commands at once in one container, as a program inside the cluster's namespace: `exec-flood.ts KUBECONFIG POD`.
// Invariant: tells in JSON what came of each, in the order in which they were begun.
import {
  createClient,
  createHttpTransport,
  execInPod,
  loadKubeconfig,
} from '../../../client/index.ts';

const COMMANDS = 100;

const [kubeconfig = '', name = ''] = process.argv.slice(2);
const { transport } = await loadKubeconfig(kubeconfig);
const client = createClient(createHttpTransport(transport));
const outcomes = await Promise.all(
  Array.from({ length: COMMANDS }, async (_, i) => {
    const pod = { namespace: 'default', name };
    try {
      const told = await execInPod(client, pod, { command: ['/bin/sh', '-c', `echo ${i}`] });
      return `${told.exitCode} ${told.stdout.trim()}`;
    } catch (error) {
      return String(error);
    }
  }),
);
process.stdout.write(JSON.stringify(outcomes), () => process.exit(0));
