// Pods that come and go without end: a Deployment scaled, rolled out and robbed of its pods, tasks that run once, Services
// that are made and removed. Each container leaves a line in a file of its own when it starts, so that a second start shows.
// Invariant: at rest there are REST_REPLICAS pods of the Deployment, and nothing else.
import type { Deployment, Pod, PodSpec, Service } from '../../../api/generated/types.ts';
import type { Random } from '../../../base/random.ts';
import {
  type Client,
  Deployments,
  isAlreadyExists,
  isConflict,
  isNotFound,
  Pods,
  Services,
} from '../../../client/index.ts';
import { SHELL_IMAGE } from '../tiny-images.ts';
import { pause } from './pause.ts';
import { isPassing } from './writes.ts';

const NAMESPACE = 'default';
/** Name of the Deployment, and the label of all that comes and goes. */
export const CHURN = 'churn';
/** Pods of the Deployment at rest. */
export const REST_REPLICAS = 2;
const MOST_REPLICAS = 3;
const MOST_TASKS = 3;
const EXTRA_SERVICES = 3;
const PAUSE_MS = { least: 30, most: 500 };

/** The Deployment. `marks` is a directory of the host. */
export function churnDeployment(marks: string): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: CHURN, namespace: NAMESPACE },
    spec: {
      replicas: REST_REPLICAS,
      selector: { matchLabels: { app: CHURN } },
      template: { metadata: { labels: { app: CHURN } }, spec: churnSpec(marks) },
    },
  };
}

/** An init container, an obedient container with every kind of exec, and one that must be killed. */
function churnSpec(marks: string): PodSpec {
  const ready = { exec: { command: ['cat', '/tmp/ready'] }, timeoutSeconds: 20 };
  const script = `trap 'exit 0' TERM; cat /about/name > /tmp/ready; sleep 3600 & wait`;
  const obedient = container('obedient', script);
  return {
    terminationGracePeriodSeconds: 1,
    volumes: [
      { name: 'marks', hostPath: { path: marks } },
      { name: 'scratch', emptyDir: { medium: 'Memory' } },
      {
        name: 'about',
        downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] },
      },
    ],
    initContainers: [container('once', 'exit 0')],
    containers: [
      {
        ...obedient,
        volumeMounts: [
          ...(obedient.volumeMounts ?? []),
          { name: 'scratch', mountPath: '/tmp' },
          { name: 'about', mountPath: '/about' },
        ],
        readinessProbe: { ...ready, periodSeconds: 1 },
        livenessProbe: { ...ready, periodSeconds: 1, failureThreshold: 20 },
        lifecycle: {
          postStart: { exec: { command: ['cat', '/etc/hosts'] } },
          preStop: { exec: { command: ['sleep', '0.1'] } },
        },
      },
      container('stubborn', `trap '' TERM; while :; do sleep 1; done`),
    ],
  };
}

function container(name: string, script: string): PodSpec['containers'][number] {
  return {
    name,
    image: SHELL_IMAGE,
    command: ['/bin/sh', '-c', `echo started >> /marks/$POD.${name}; ${script}`],
    env: [{ name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.uid' } } }],
    volumeMounts: [{ name: 'marks', mountPath: '/marks' }],
    resources: { requests: { cpu: '10m', memory: '8Mi' } },
  };
}

const taskPod = (name: string, marks: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: NAMESPACE, labels: { task: 'true' } },
  spec: {
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: 1,
    volumes: [{ name: 'marks', hostPath: { path: marks } }],
    containers: [container('task', 'sleep 0.3')],
  },
});

const extraService = (name: string): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: NAMESPACE },
  spec: { selector: { app: CHURN }, ports: [{ port: 80, targetPort: 8080 }] },
});

/** What the churn works with. */
export interface ChurnDoors {
  readonly client: Client;
  readonly random: Random;
  readonly marks: string;
}

/** Starts it; `rest` resolves once the last order is acknowledged. */
export function startChurn(doors: ChurnDoors): { rest(): Promise<void> } {
  let over = false;
  const { random } = doors;
  const run = async () => {
    for (let turn = 0; !over; turn += 1) {
      await attempt(() => act(doors, turn));
      await pause(PAUSE_MS.least + random.next() * (PAUSE_MS.most - PAUSE_MS.least));
    }
  };
  const running = run();
  return {
    async rest() {
      over = true;
      await running;
      while (!(await attempt(() => settle(doors.client)))) await pause(50);
    },
  };
}

/** False when there was nobody to do it. */
async function attempt(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (isNotFound(error) || isAlreadyExists(error) || isConflict(error)) return true;
    if (!isPassing(error)) throw error;
    return false;
  }
}

/** One thing at random. */
async function act({ client, random, marks }: ChurnDoors, turn: number): Promise<unknown> {
  const deployments = client.resource(Deployments);
  const churn = { namespace: NAMESPACE, name: CHURN };
  const upTo = (most: number) => Math.floor(random.next() * most);
  const pick = random.next();
  if (pick < 0.25) {
    const body = { spec: { replicas: upTo(MOST_REPLICAS + 1) } };
    return deployments.patch(churn, { type: 'merge', body });
  }
  if (pick < 0.35) {
    const annotations = { turn: String(turn) };
    const body = { spec: { template: { metadata: { annotations } } } };
    return deployments.patch(churn, { type: 'merge', body });
  }
  if (pick < 0.6) {
    const { items } = await client
      .resource(Pods)
      .list({ namespace: NAMESPACE, labelSelector: `app=${CHURN}` });
    const name = items[upTo(items.length)]?.metadata.name;
    const graces = [undefined, 0, 1];
    if (name === undefined) return undefined;
    const how = { gracePeriodSeconds: graces[upTo(graces.length)] };
    return client.resource(Pods).delete({ namespace: NAMESPACE, name }, how);
  }
  if (pick < 0.75) return client.resource(Pods).create(taskPod(`task-${turn}`, marks));
  if (pick < 0.85) return removeTasks(client, MOST_TASKS);
  const name = `extra-${upTo(EXTRA_SERVICES)}`;
  const services = client.resource(Services);
  return pick < 0.93
    ? services.create(extraService(name))
    : services.delete({ namespace: NAMESPACE, name });
}

/** Deletes tasks, finished or not, beyond so many. */
async function removeTasks(client: Client, keep: number): Promise<void> {
  const pods = client.resource(Pods);
  const { items } = await pods.list({ namespace: NAMESPACE, labelSelector: 'task=true' });
  for (const { metadata } of items.slice(keep))
    await pods.delete({ namespace: NAMESPACE, name: metadata.name ?? '' });
}

async function settle(client: Client): Promise<void> {
  await client
    .resource(Deployments)
    .patch(
      { namespace: NAMESPACE, name: CHURN },
      { type: 'merge', body: { spec: { replicas: REST_REPLICAS } } },
    );
  await removeTasks(client, 0);
  const services = client.resource(Services);
  const { items } = await services.list({ namespace: NAMESPACE });
  for (const { metadata } of items)
    if (metadata.name?.startsWith('extra-'))
      await services.delete({ namespace: NAMESPACE, name: metadata.name });
}
