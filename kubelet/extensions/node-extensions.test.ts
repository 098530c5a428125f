// A node whose program adds devices of its own (example.com/widget): the whole agent on real containers.
// What a pod is given is seen from inside of it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { systemRandom } from '../../base/random.ts';
import type { Pod } from '../../api/generated/types.ts';
import { Nodes, Pods, ServiceAccounts } from '../../api/kinds.ts';
import { createInformerFactory } from '../../client/informer/informer-factory.ts';
import type { Client } from '../../client/rest/client.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { anApiServer, type ClientServer } from '../../test/support/client-server.ts';
import { anOciHost, type OciHost, sh } from '../../test/support/oci-host.ts';
import { until } from '../../test/support/until.ts';
import { createNodeAgent } from '../agent.ts';
import { createLinuxHost } from '../host/linux-host.ts';
import { notesInMemory } from '../pulling/pull-access.ts';
import { FakePodNetwork } from '../runtime/fake/fake-network.ts';
import type { Grant, NodeExtension } from './node-extension.ts';
import { NodeExtensions } from './node-extensions.ts';

const RESOURCE = 'example.com/widget';
const NODE = 'node-1';
const at = (name: string) => ({ namespace: 'default', name });

/** Widgets are /dev/zero under a number; those that are unwell are not given away. */
class Widgets implements NodeExtension {
  readonly name = 'widgets';
  readonly held = new Map<string, number[]>();
  unwell = 0;
  #changed: () => void = () => undefined;
  readonly #count: number;

  constructor(count: number) {
    this.#count = count;
  }

  resources() {
    return { [RESOURCE]: { capacity: this.#count, allocatable: this.#count - this.unwell } };
  }

  watch(changed: () => void): void {
    this.#changed = changed;
  }

  sicken(count: number): void {
    this.unwell = count;
    this.#changed();
  }

  admit({ metadata, spec }: Pod) {
    const wanted = Number(spec?.containers[0]?.resources?.limits?.[RESOURCE] ?? 0);
    if (wanted === 0) return undefined;
    const taken = new Set([...this.held.values()].flat());
    const free = Array.from({ length: this.#count }, (_, number) => number).filter(
      (number) => !taken.has(number),
    );
    if (metadata.labels?.['jinxed']) {
      const message = `Allocate failed due to requested number of devices unavailable for ${RESOURCE}. Requested: ${wanted}, Available: 0, which is unexpected`;
      return { refusal: { reason: 'UnexpectedAdmissionError', message } };
    }
    const numbers = free.slice(0, wanted);
    this.held.set(metadata.uid ?? '', numbers);
    const devices = numbers.map((number) => ({
      hostPath: '/dev/zero',
      containerPath: `/dev/widget${number}`,
      permissions: 'r',
    }));
    const env = [
      { name: 'WIDGETS', value: numbers.join(',') },
      { name: 'OWN', value: 'given' },
    ];
    return { grant: { [spec?.containers[0]?.name ?? '']: { devices, env, cpus: '0' } } };
  }

  restore(podUid: string, grant: Grant): void {
    const paths = Object.values(grant).flatMap(({ devices = [] }) => devices);
    this.held.set(
      podUid,
      paths.map(({ containerPath }) => Number(containerPath.slice('/dev/widget'.length))),
    );
  }

  release(podUid: string): void {
    this.held.delete(podUid);
  }
}

let oci: OciHost;
let cluster: ClientServer;
let client: Client;
let widgets: Widgets;
let stopAgent: () => Promise<void>;

beforeAll(async () => {
  oci = await anOciHost();
  cluster = await anApiServer();
  client = createClient(cluster.transport);
  await client.resource(ServiceAccounts).create({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: at('default'),
    automountServiceAccountToken: false,
  });
});
afterAll(async () => {
  await cluster.close();
  await oci.dispose();
});
beforeEach(() => startAgent());
afterEach(() => stopAgent());

async function startAgent(): Promise<void> {
  widgets = new Widgets(2);
  const ending = new AbortController();
  const doors = { clock: systemClock, random: systemRandom, logger: silentLogger, client };
  const informers = createInformerFactory(doors);
  const network = new FakePodNetwork();
  const agent = createNodeAgent({
    ...doors,
    informers,
    nodeName: NODE,
    nodeIp: '127.0.0.1',
    runtime: await oci.start(),
    images: oci.images,
    network,
    host: createLinuxHost({
      ...doors,
      system: oci.system,
      network,
      dataDir: join(oci.folder, 'node'),
    }),
    clusterDns: '10.96.0.10',
    clusterDomain: 'cluster.local',
    podCidr: '10.244.0.0/24',
    extensions: [widgets],
  });
  informers.start(ending.signal);
  await agent.start(ending.signal);
  await agent.registered;
  stopAgent = async () => {
    ending.abort(new Error('the test is over'));
    await agent.done;
    await informers.finished();
  };
}

const pods = () => client.resource(Pods);
const statusOf = async (name: string) => (await pods().get(at(name))).status;
const isRunning = (name: string) =>
  until(async () => (await statusOf(name))?.containerStatuses?.[0]?.state?.running !== undefined);

async function create(name: string, count: number, labels: Record<string, string> = {}) {
  const script = 'ls /dev; echo "$WIDGETS $OWN"; cat /proc/self/status; while :; do sleep 1; done';
  const limits = { [RESOURCE]: String(count) };
  const container = {
    name: 'main',
    image: 'test/shell:1',
    imagePullPolicy: 'Never',
    command: [...sh(script)],
    env: [{ name: 'OWN', value: 'own' }],
    ...(count > 0 && { resources: { limits, requests: limits } }),
  };
  await pods().create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...at(name), labels },
    spec: {
      nodeName: NODE,
      hostNetwork: true,
      terminationGracePeriodSeconds: 1,
      containers: [container],
    },
  });
}

async function remove(name: string): Promise<void> {
  await pods().delete(at(name), { gracePeriodSeconds: 1 });
  await until(
    async () =>
      (await pods()
        .get(at(name))
        .catch(() => undefined)) === undefined,
  );
}

async function logOf(name: string): Promise<string> {
  const { metadata } = await pods().get(at(name));
  const folder = `default_${name}_${metadata.uid}`;
  return readFileSync(join(oci.folder, 'node', 'logs', 'pods', folder, 'main', '0.log'), 'utf8');
}

describe('a device of the node’s own', () => {
  it('is told on the Node, as it changes', async () => {
    const shown = async () => (await client.resource(Nodes).get({ name: NODE })).status;
    await until(async () => (await shown())?.capacity?.[RESOURCE] === '2');
    widgets.sicken(1);
    await until(async () => (await shown())?.allocatable?.[RESOURCE] === '1');
    expect((await shown())?.capacity?.[RESOURCE]).toBe('2');
  });

  it('is given to the containers that ask for it, with variables and a place to run', async () => {
    await create('given', 1);
    await create('none', 0);
    await isRunning('given');
    await until(async () => (await logOf('given')).includes('Cpus_allowed_list'));
    const log = await logOf('given');
    expect(log).toMatch(/ widget0\n/);
    expect(log).toMatch(/ 0 own\n/);
    expect(log).toMatch(/Cpus_allowed_list:\s+0\n/);
    await isRunning('none');
    await until(async () => (await logOf('none')).includes('Cpus_allowed_list'));
    expect(await logOf('none')).not.toMatch(/widget/);
    await remove('given');
    await remove('none');
    expect(widgets.held.size).toBe(0);
  });

  it('is given to nobody else while it is held, also not by the agent’s successor', async () => {
    await create('holder', 2);
    await isRunning('holder');
    const { uid = '' } = (await pods().get(at('holder'))).metadata;
    await stopAgent();
    await startAgent();
    expect(widgets.held.get(uid)).toEqual([0, 1]);
    await create('late', 1);
    await until(async () => (await statusOf('late'))?.reason === `OutOf${RESOURCE}`);
    expect((await statusOf('late'))?.message).toBe(
      `Pod was rejected: Node didn't have enough resource: ${RESOURCE}, requested: 1, used: 2, capacity: 2`,
    );
    await remove('late');
    await remove('holder');
    await create('next', 2);
    await isRunning('next');
    await remove('next');
  });

  it('is free again where its pod went while no agent was there', async () => {
    await create('gone', 2);
    await isRunning('gone');
    await stopAgent();
    await pods().delete(at('gone'), { gracePeriodSeconds: 0 });
    await startAgent();
    await until(async () => widgets.held.size === 0);
  });

  it('that cannot be given after all refuses its pod', async () => {
    await create('jinxed', 1, { jinxed: 'yes' });
    await until(async () => (await statusOf('jinxed'))?.phase === 'Failed');
    const { reason, message } = (await statusOf('jinxed')) ?? {};
    expect(reason).toBe('UnexpectedAdmissionError');
    expect(message).toMatch(
      /^Pod was rejected: Allocate failed due to requested number of devices/,
    );
    await remove('jinxed');
  });
});

describe('extensions', () => {
  const pod: Pod = { apiVersion: 'v1', kind: 'Pod', metadata: { uid: '1' } };
  const one = (name: string, more: Partial<NodeExtension> = {}): NodeExtension => ({
    name,
    resources: () => ({}),
    admit: () => ({ grant: { main: { env: [{ name, value: 'yes' }] } } }),
    restore: () => undefined,
    release: () => undefined,
    ...more,
  });

  it('refuse together: what one has taken it gives back, also where another fails', () => {
    for (const admit of [
      () => ({ refusal: { reason: 'TopologyAffinityError', message: 'no' } }),
      () => {
        throw new Error('no');
      },
    ]) {
      const released: string[] = [];
      const first = one('a', { release: (uid) => void released.push(uid) });
      const extensions = new NodeExtensions([first, one('b', { admit })], notesInMemory());
      expect(extensions.admit(pod)?.message).toBe('no');
      expect(released).toEqual(['1']);
      expect(extensions.of('1', 'main')).toBeUndefined();
    }
  });

  it('give together, once, and keep it', () => {
    const notes = notesInMemory();
    const extensions = new NodeExtensions([one('a'), one('b')], notes);
    extensions.admit(pod);
    const kept = notes.read();
    extensions.admit(pod);
    expect(notes.read()).toBe(kept);
    const given = extensions.of('1', 'main');
    expect(given?.env?.map(({ name }) => name)).toEqual(['a', 'b']);
    const restored: string[] = [];
    const again = [one('a', { restore: (uid) => void restored.push(uid) })];
    expect(new NodeExtensions(again, notes).of('1', 'main')).toBeDefined();
    expect(restored).toEqual(['1']);
  });

  it('are asked once of a pod that they give nothing, also by the agent that comes after', () => {
    const notes = notesInMemory();
    const asked: string[] = [];
    const admit: NodeExtension['admit'] = ({ metadata: { uid = '' } }) => {
      asked.push(uid);
      return asked.length > 1 ? { refusal: { reason: 'Late', message: 'none left' } } : undefined;
    };
    for (let agent = 0; agent < 2; agent += 1) {
      const extensions = new NodeExtensions([one('a', { admit })], notes);
      expect([extensions.admit(pod), extensions.admit(pod)]).toEqual([undefined, undefined]);
      expect(extensions.of('1', 'main')).toBeUndefined();
    }
    expect(asked).toEqual(['1']);
  });

  it('have names of their own', () => {
    expect(() => new NodeExtensions([one('a'), one('a')], notesInMemory())).toThrow(
      'two extensions of the node are named a',
    );
  });
});
