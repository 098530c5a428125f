// The autoscaler against the real API server, with samples posted as a node agent posts them.
import { afterEach, describe, expect, it } from 'vitest';
import type {
  HorizontalPodAutoscalerSpecV2,
  HorizontalPodAutoscalerV2,
} from '../../api/generated/types.ts';
import {
  CustomResourceDefinitions,
  Deployments,
  Events,
  HorizontalPodAutoscalers,
  Nodes,
} from '../../api/kinds.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { bindPod } from '../../client/rest/subresources.ts';
import type { NodeSample } from '../../api/metrics/sample.ts';
import type { ClusterOptions, ControlledCluster } from '../support/controlled-cluster.ts';
import {
  aControlledCluster,
  aDeployment,
  deploymentNow,
  podsOf,
  readyAll,
} from '../support/controlled-cluster.ts';
import { until } from '../support/until.ts';

const clusters: ControlledCluster[] = [];
afterEach(async () => {
  for (const cluster of clusters.splice(0)) await cluster.close();
});

const autoscaler = (
  spec: Partial<HorizontalPodAutoscalerSpecV2> = {},
): HorizontalPodAutoscalerV2 => ({
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
    minReplicas: 1,
    maxReplicas: 6,
    metrics: [
      {
        type: 'Resource',
        resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } },
      },
    ],
    behavior: {
      scaleUp: {
        stabilizationWindowSeconds: 0,
        policies: [{ type: 'Percent', value: 900, periodSeconds: 1 }],
      },
      scaleDown: {
        stabilizationWindowSeconds: 0,
        policies: [{ type: 'Percent', value: 100, periodSeconds: 1 }],
      },
    },
    ...spec,
  },
});

async function aCluster(options: ClusterOptions = {}) {
  const cluster = await aControlledCluster(options);
  clusters.push(cluster);
  const { client } = cluster;
  const node = cluster.as('system:node:n1', 'system:nodes');
  await client.resource(Nodes).create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } });
  const bindAll = async () => {
    for (const { spec, metadata } of await podsOf(client, 'web')) {
      if (spec?.nodeName) continue;
      const { namespace, name = '' } = metadata;
      await bindPod(client, { namespace, name, node: 'n1' }).catch(() => undefined);
    }
  };
  /** Tells that each pod uses so much CPU, in thousandths of a core. */
  const sample = async (milli: number) => {
    const pods = await podsOf(client, 'web');
    const body: NodeSample = {
      // Past the pods' first second of being ready.
      timestampMs: Date.now() + 2_000,
      windowMs: 1000,
      node: { cpuNanoCores: 1e9, memoryBytes: 1e9 },
      pods: pods.map(({ metadata }) => ({
        namespace: 'default',
        name: metadata.name ?? '',
        uid: metadata.uid ?? '',
        containers: [{ name: 'main', cpuNanoCores: milli * 1e6, memoryBytes: 1e6 }],
      })),
    };
    const path = '/apis/metrics.k8s.io/v1beta1/nodes/n1/samples';
    await node.transport.request({ method: 'POST', path, body: body as never });
  };
  const hpas = client.resource(HorizontalPodAutoscalers);
  const status = async () => (await hpas.get({ namespace: 'default', name: 'web' })).status;
  const condition = async (type: string) =>
    (await status())?.conditions?.find((each) => each.type === type);
  /** The agent's turn: pods are bound, made ready and measured, until the size is as wanted. */
  const measureUntil = (milli: number, replicas: number, eachTurn = async () => {}) =>
    until(async () => {
      await eachTurn();
      await bindAll();
      await readyAll(client, 'web');
      await sample(milli);
      const { spec, status: now } = await deploymentNow(client, 'web');
      return spec?.replicas === replicas && now?.readyReplicas === replicas;
    });
  return { client, hpas, sample, status, condition, measureUntil };
}

describe('the autoscaler', () => {
  it('grows a deployment under load and shrinks it again, and says why', async () => {
    const { client, hpas, status, condition, measureUntil } = await aCluster();
    await client.resource(Deployments).create(aDeployment('web'));
    await hpas.create(autoscaler());
    // Requests are 100m, the target 50 %: 200m on one pod asks for four.
    await measureUntil(200, 4 + 2);
    await until(async () => (await status())?.desiredReplicas === 6);
    expect((await status())?.lastScaleTime).toBeDefined();
    await until(async () => (await condition('ScalingLimited'))?.reason === 'TooManyReplicas');
    expect(await condition('ScalingActive')).toMatchObject({
      status: 'True',
      reason: 'ValidMetricFound',
    });
    await measureUntil(1, 1);
    const told = async () =>
      (await client.resource(Events).list({ namespace: 'default' })).items
        .filter(({ reason }) => reason === 'SuccessfulRescale')
        .map(({ message }) => message);
    await until(async () => (await told()).length >= 2);
    const messages = await told();
    expect(messages.some((text) => text?.endsWith('above target'))).toBe(true);
    expect(messages).toContain('New size: 1; reason: All metrics below target');
    const metric = (await status())?.currentMetrics?.[0];
    expect(metric?.resource?.current.averageUtilization).toBeDefined();
  });

  it('acts on a sample before it looks again by itself, after 15 s', async () => {
    const clock = new VirtualClock(Date.now());
    const { client, hpas, sample, measureUntil, status } = await aCluster({ clock });
    await client.resource(Deployments).create(aDeployment('web'));
    await hpas.create(autoscaler());
    await measureUntil(50, 1, () => clock.advance(50));
    await until(async () => (await status())?.conditions !== undefined);
    const began = clock.monotonic();
    await sample(150);
    await until(async () => {
      await clock.advance(50);
      return (await deploymentNow(client, 'web')).spec?.replicas === 3;
    });
    expect(clock.monotonic() - began).toBeLessThan(2_000);
  });

  it('says what it lacks: a target, samples, requests, or an API for the metric', async () => {
    const { client, hpas, condition, measureUntil, sample } = await aCluster();
    await hpas.create(autoscaler());
    await until(async () => (await condition('AbleToScale'))?.reason === 'FailedGetScale');
    await client.resource(Deployments).create(aDeployment('web'));
    await until(async () => (await podsOf(client, 'web')).length === 1);
    // Any change of the autoscaler wakes it at once.
    const at = { namespace: 'default', name: 'web' };
    const change = (spec: object) => hpas.patch(at, { type: 'merge', body: { spec } });
    await change({ maxReplicas: 5 });
    await until(
      async () => (await condition('ScalingActive'))?.reason === 'FailedGetResourceMetric',
    );
    expect((await condition('ScalingActive'))?.message).toBe(
      'the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource metrics API',
    );
    await measureUntil(50, 1);
    await until(async () => (await condition('ScalingActive'))?.status === 'True');
    const pods = { metric: { name: 'rps' }, target: { type: 'AverageValue', averageValue: '5' } };
    await change({ metrics: [{ type: 'Pods', pods }] });
    await until(async () => (await condition('ScalingActive'))?.reason === 'FailedGetPodsMetric');
    const memory = { name: 'memory', target: { type: 'Utilization', averageUtilization: 50 } };
    await change({ metrics: [{ type: 'Resource', resource: memory }] });
    await sample(50);
    await until(async () =>
      /missing request for memory in container main of Pod/.test(
        (await condition('ScalingActive'))?.message ?? '',
      ),
    );
  });

  it('keeps its window though the wall clock is set', async () => {
    const clock = new VirtualClock(Date.now());
    const { client, hpas, sample, condition, measureUntil } = await aCluster({ clock });
    await client.resource(Deployments).create(aDeployment('web', { replicas: 2 }));
    const { scaleUp } = autoscaler().spec.behavior ?? {};
    await hpas.create(autoscaler({ behavior: { scaleUp } }));
    // Two pods at 60 % of their requests, where 50 % are wanted: three.
    await measureUntil(60, 3, () => clock.advance(50));
    clock.stepWall(3_600_000);
    await until(async () => {
      await sample(1);
      await clock.advance(50);
      return (await condition('AbleToScale'))?.reason === 'ScaleDownStabilized';
    });
    expect((await deploymentNow(client, 'web')).spec?.replicas).toBe(3);
    // The window, five minutes by default, passes on the clock that only goes forward.
    clock.stepWall(-7_200_000);
    await clock.advance(301_000);
    await until(async () => {
      await sample(1);
      await clock.advance(50);
      return (await deploymentNow(client, 'web')).spec?.replicas === 1;
    });
  });

  it('does nothing while another wants to scale the same pods, and says so', async () => {
    const { client, hpas, sample, measureUntil } = await aCluster();
    await client.resource(Deployments).create(aDeployment('web', { replicas: 2 }));
    const named = (name: string) => {
      const made = autoscaler({ minReplicas: 2 });
      return { ...made, metadata: { ...made.metadata, name } };
    };
    await hpas.create(named('a'));
    await hpas.create(named('b'));
    await measureUntil(50, 2);
    const active = async (name: string) =>
      (await hpas.get({ namespace: 'default', name })).status?.conditions?.find(
        ({ type }) => type === 'ScalingActive',
      );
    for (const name of ['a', 'b'])
      await until(async () => {
        await sample(500);
        return (await active(name))?.reason === 'AmbiguousSelector';
      });
    expect(await active('a')).toMatchObject({
      status: 'False',
      message: 'pods by selector app=web are controlled by multiple HPAs: [default/a default/b]',
    });
    expect((await deploymentNow(client, 'web')).spec?.replicas).toBe(2);
    const told = async () =>
      (await client.resource(Events).list({ namespace: 'default' })).items.filter(
        ({ reason }) => reason === 'AmbiguousSelector',
      );
    await until(async () => new Set((await told()).map((e) => e.involvedObject.name)).size === 2);
    // Alone again it goes on.
    await hpas.delete({ namespace: 'default', name: 'b' });
    await measureUntil(500, 6);
  });

  it('leaves a deployment alone that was scaled to nothing', async () => {
    const { client, hpas, condition } = await aCluster();
    await client.resource(Deployments).create(aDeployment('web', { replicas: 0 }));
    await hpas.create(autoscaler());
    await until(async () => (await condition('ScalingActive'))?.reason === 'ScalingDisabled');
    expect((await deploymentNow(client, 'web')).spec?.replicas).toBe(0);
  });

  it('brings a size outside its bounds to the bound, samples or not', async () => {
    const { client, hpas, condition } = await aCluster();
    await client.resource(Deployments).create(aDeployment('web', { replicas: 9 }));
    await hpas.create(autoscaler());
    await until(async () => (await deploymentNow(client, 'web')).spec?.replicas === 6);
    await until(async () => (await condition('AbleToScale'))?.reason === 'SucceededRescale');
    expect((await condition('AbleToScale'))?.message).toBe(
      'the HPA controller was able to update the target scale to 6',
    );
  });

  it('scales a kind of a user’s that has a scale, in the version that it names', async () => {
    const { client, hpas, condition } = await aCluster();
    const routes = await withRoutes(client);
    await routes.create(aRoute({ workers: 9, selector: 'app=web' }));
    await hpas.create(autoscaler({ scaleTargetRef: ROUTE }));
    await until(async () => (await routes.get(PLACE)).spec?.workers === 6);
    await until(async () => (await condition('AbleToScale'))?.reason === 'SucceededRescale');
  });

  it.each([
    {
      lack: 'no selector',
      more: {},
      event: 'SelectorRequired',
      message: "the HPA target's scale is missing a selector",
    },
    {
      lack: 'a selector that cannot be read',
      more: { selector: '=,' },
      event: 'InvalidSelector',
      message: /^couldn't convert sel/,
    },
  ])(
    'brings a target into its bounds though its scale has $lack, then says what it lacks',
    async ({ more, event, message }) => {
      const { client, hpas, condition } = await aCluster();
      const routes = await withRoutes(client);
      await routes.create(aRoute({ workers: 9, ...more }));
      await hpas.create(autoscaler({ scaleTargetRef: ROUTE }));
      await until(async () => (await routes.get(PLACE)).spec?.workers === 6);
      await hpas.patch(PLACE, { type: 'merge', body: { spec: { maxReplicas: 8 } } });
      await until(async () => (await condition('ScalingActive'))?.reason === 'InvalidSelector');
      expect((await condition('ScalingActive'))?.message).toMatch(message);
      expect((await condition('AbleToScale'))?.status).toBe('True');
      await until(async () =>
        (await client.resource(Events).list({ namespace: 'default' })).items.some(
          ({ reason }) => reason === event,
        ),
      );
      expect((await routes.get(PLACE)).spec?.workers).toBe(6);
    },
  );
});

const PLACE = { namespace: 'default', name: 'web' };
const ROUTE = { apiVersion: 'example.com/v2', kind: 'Route', name: 'web' };

const aRoute = ({ workers, ...more }: { workers: number; selector?: string }): Route => ({
  apiVersion: 'example.com/v2',
  kind: 'Route',
  metadata: PLACE,
  spec: { workers },
  status: { workers, ...more },
});

/** Routes are a kind of two versions with a scale; resolves when they are served. */
async function withRoutes(client: ControlledCluster['client']) {
  const count = {
    type: 'object',
    properties: { workers: { type: 'integer' }, selector: { type: 'string' } },
  } as const;
  const version = {
    served: true,
    schema: {
      openAPIV3Schema: { type: 'object', properties: { spec: count, status: count } },
    },
    subresources: {
      scale: {
        specReplicasPath: '.spec.workers',
        statusReplicasPath: '.status.workers',
        labelSelectorPath: '.status.selector',
      },
    },
  };
  await client.resource(CustomResourceDefinitions).create({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'routes.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { kind: 'Route', plural: 'routes' },
      versions: [
        { ...version, name: 'v1', storage: true },
        { ...version, name: 'v2', storage: false },
      ],
    },
  });
  const routes = client.resource<Route>({
    group: 'example.com',
    version: 'v2',
    kind: 'Route',
    plural: 'routes',
    namespaced: true,
  });
  await until(() =>
    routes.list({ namespace: 'default' }).then(
      () => true,
      () => false,
    ),
  );
  return routes;
}

interface Route extends KubeObject {
  readonly spec?: { readonly workers: number };
  readonly status?: { readonly workers: number; readonly selector?: string };
}
