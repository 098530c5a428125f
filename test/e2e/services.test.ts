// Services on real containers: addresses, names, node ports, and what has nobody behind it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { until } from '../support/until.ts';
import { webDeployment, webService } from '../clients/objects.ts';

let cluster: TestCluster;
let nodePort: number;
beforeAll(async () => {
  cluster = await startTestCluster({ node: true });
  const objects = [webDeployment('web', 2), webService('web', 'NodePort')];
  await cluster.kubectl.apply([...objects, webService('empty')]);
  await cluster.kubectl.wait('--for=condition=Available', 'deploy/web');
  nodePort = (await cluster.kubectl.json(['get', 'svc', 'web'])).spec.ports[0].nodePort;
  // A pod that is ready is in the Service's table a moment later.
  const url = `http://127.0.0.1:${nodePort}/`;
  await until(async () => (await cluster.request({ url })).status === 200);
});
afterAll(() => cluster?.stop());

/** What a pod is answered when it asks for `path` of itself: `/get?url=` and `/lookup?name=`. */
const fromPod = async (path: string) => {
  const { text, error } = await cluster.request({ url: `http://127.0.0.1:${nodePort}${path}` });
  if (error) throw new Error(error);
  return JSON.parse(text);
};
const get = (url: string) => fromPod(`/get?url=${encodeURIComponent(url)}`);
const addressOf = async (name: string): Promise<string> =>
  (await cluster.kubectl.json(['get', 'svc', name])).spec.clusterIP;

describe('a Service', () => {
  it('is reached by its address and by its names from a pod', async () => {
    const address = await addressOf('web');
    for (const host of [address, 'web', 'web.default', 'web.default.svc.cluster.local'])
      expect(await get(`http://${host}/`)).toMatchObject({ status: 200 });
    expect(await fromPod('/lookup?name=web')).toMatchObject({ address });
    expect(await fromPod('/lookup?name=nothing')).toEqual({ error: 'ENOTFOUND' });
  });

  it('is reached by its address from the host', async () => {
    const url = `http://${await addressOf('web')}/`;
    expect(await cluster.request({ url })).toMatchObject({ status: 200 });
  });

  it('is reached by its node port, by all its pods', async () => {
    const seen = new Set<string>();
    await until(async () => seen.add((await fromPod('/')).pod).size === 2);
  });

  it('with sessionAffinity keeps each client with its pod, until that is gone', async () => {
    const { kubectl } = cluster;
    const sticky = webService('sticky', 'NodePort');
    const spec = { ...sticky.spec, selector: { app: 'web' }, sessionAffinity: 'ClientIP' };
    await kubectl.apply([{ ...sticky, spec }]);
    const port = (await kubectl.json(['get', 'svc', 'sticky'])).spec.ports[0].nodePort;
    for (const base of [`http://127.0.0.1:${port}/`, `http://${await addressOf('sticky')}/`]) {
      const answering = async () => JSON.parse((await cluster.request({ url: base })).text).pod;
      await expect.poll(answering, { timeout: 30_000 }).toBeTypeOf('string');
      const pod = await answering();
      for (let i = 0; i < 20; i += 1) expect(await answering()).toBe(pod);
    }
    const pod = JSON.parse((await cluster.request({ url: `http://127.0.0.1:${port}/` })).text).pod;
    await kubectl.ok(['delete', 'pod', pod, '--now']);
    const asked = async () => (await cluster.request({ url: `http://127.0.0.1:${port}/` })).text;
    await expect.poll(async () => JSON.parse(await asked()).pod, { timeout: 30_000 }).not.toBe(pod);
    const next = JSON.parse(await asked()).pod;
    for (let i = 0; i < 5; i += 1) expect(JSON.parse(await asked()).pod).toBe(next);
    await kubectl.wait('--for=condition=Available', 'deploy/web');
  });

  it('without pods refuses at once', async () => {
    const answer = await get(`http://${await addressOf('empty')}/`);
    // What is dropped instead is never told to be refused.
    expect(answer.error).toBe('ECONNREFUSED');
  });

  it('drops a pod that is not ready, and takes it back', async () => {
    const [pod] = (await cluster.kubectl.json(['get', 'pods', '-l', 'app=web'])).items;
    const { name } = pod.metadata;
    await cluster.kubectl.ok(['exec', name, '--', 'touch', '/tmp/busy']);
    await cluster.kubectl.wait('--for=condition=Ready=false', `pod/${name}`);
    await expect
      .poll(async () => {
        const slices = await cluster.kubectl.json([
          'get',
          'endpointslices',
          '-l',
          'kubernetes.io/service-name=web',
        ]);
        return slices.items[0].endpoints.filter((e: any) => e.conditions.ready).length; // oxlint-disable-line no-explicit-any
      })
      .toBe(1);
    // The table follows: from some moment on, all answers come from the other one.
    let others = 0;
    await until(async () => {
      others = (await fromPod('/')).pod === name ? 0 : others + 1;
      return others === 15;
    });
    await cluster.kubectl.ok(['exec', name, '--', 'rm', '/tmp/busy']);
    await cluster.kubectl.wait('--for=condition=Ready', `pod/${name}`);
  });
});

describe('an address of the cluster that is nobody’s', () => {
  it('is refused at once', async () => {
    const last = (await addressOf('web')).split('.').slice(0, 3).join('.');
    const taken = (
      await cluster.kubectl.ok(['get', 'svc', '-A', '-o', 'jsonpath={.items[*].spec.clusterIP}'])
    ).split(' ');
    const free = [250, 251, 252, 253].map((n) => `${last}.${n}`).find((ip) => !taken.includes(ip));
    const answer = await get(`http://${free}/`);
    expect(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH']).toContain(answer.error);
  });
});
