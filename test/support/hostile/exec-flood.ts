// A hundred commands at once in one container, as a program inside the cluster's namespace: `exec-flood.ts KUBECONFIG POD`.
// Invariant: tells in JSON what came of each, in the order in which they were begun.
import {
  createClient,
  createHttpTransport,
  execInPod,
  loadKubeconfig,
} from '../../../client/index.ts';

const COMMANDS = 100;
const TRIES = 5;

const [kubeconfig = '', name = ''] = process.argv.slice(2);
const { transport } = await loadKubeconfig(kubeconfig);
const client = createClient(createHttpTransport(transport));
const pod = { namespace: 'default', name };

/** A caller that is not heard in time on a busy host asks again, as people do. */
async function carriedOut(i: number, tries = TRIES): Promise<string> {
  try {
    const told = await execInPod(client, pod, { command: ['/bin/sh', '-c', `echo ${i}`] });
    return `${told.exitCode} ${told.stdout.trim()}`;
  } catch (error) {
    const unheard = (error as Error).name === 'ConnectionError' && tries > 1;
    return unheard ? carriedOut(i, tries - 1) : String(error);
  }
}

const outcomes = await Promise.all(Array.from({ length: COMMANDS }, (_, i) => carriedOut(i)));
process.stdout.write(JSON.stringify(outcomes), () => process.exit(0));
