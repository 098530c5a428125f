// The typed API of @kubernetes/client-node: every class whose group is served, every kind that discovery names in it,
// every verb that the kind has. Objects go through the client's own serializer both ways.
import * as k8s from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClientNode, connectClientNode } from '../support/client-node.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { aSigningRequest } from '../support/signing-request.ts';
import { otherKinds } from './other-kinds.ts';
import { plainKinds, type PlainObject } from './plain-kinds.ts';
import { workloadKinds } from './workload-kinds.ts';
import { until } from '../support/until.ts';

let cluster: TestCluster;
let client: ClientNode;
beforeAll(async () => {
  cluster = await startTestCluster({ node: false });
  client = await connectClientNode(cluster);
  const request = await aSigningRequest('ann');
  byKey.set('certificates.k8s.io/v1 CertificateSigningRequest', signingRequest(request));
});
afterAll(async () => {
  await client?.close();
  await cluster?.stop();
});

/** An API class by the names of its methods, which all take one object and options. */
type Methods = Readonly<Record<string, (asked: object, options?: object) => Promise<Seen>>>;
/** What calls give, as far as it is looked at here. */
interface Seen {
  metadata: { name?: string; resourceVersion?: string; labels?: Record<string, string> };
  items: Seen[];
  resources: k8s.V1APIResource[];
  spec: { replicas?: number };
}

/** Classes of the client, by the group and version that they are for. */
const CLASSES: Readonly<Record<string, new (config: k8s.Configuration) => object>> = {
  'admissionregistration.k8s.io/v1': k8s.AdmissionregistrationV1Api,
  'apiextensions.k8s.io/v1': k8s.ApiextensionsV1Api,
  'apiregistration.k8s.io/v1': k8s.ApiregistrationV1Api,
  'apps/v1': k8s.AppsV1Api,
  'autoscaling/v1': k8s.AutoscalingV1Api,
  'autoscaling/v2': k8s.AutoscalingV2Api,
  'batch/v1': k8s.BatchV1Api,
  'certificates.k8s.io/v1': k8s.CertificatesV1Api,
  'coordination.k8s.io/v1': k8s.CoordinationV1Api,
  'discovery.k8s.io/v1': k8s.DiscoveryV1Api,
  'events.k8s.io/v1': k8s.EventsV1Api,
  'flowcontrol.apiserver.k8s.io/v1': k8s.FlowcontrolApiserverV1Api,
  'networking.k8s.io/v1': k8s.NetworkingV1Api,
  'node.k8s.io/v1': k8s.NodeV1Api,
  'policy/v1': k8s.PolicyV1Api,
  'rbac.authorization.k8s.io/v1': k8s.RbacAuthorizationV1Api,
  'resource.k8s.io/v1': k8s.ResourceV1Api,
  'scheduling.k8s.io/v1': k8s.SchedulingV1Api,
  'storage.k8s.io/v1': k8s.StorageV1Api,
  v1: k8s.CoreV1Api,
};
/** Made by a request only, or by nobody: they are no objects that are kept. */
const NOT_KEPT = ['Binding', 'ComponentStatus'];

const methodsOf = (groupVersion: string): Methods => {
  const api = CLASSES[groupVersion];
  if (api === undefined) throw new Error(`the client has no class for ${groupVersion}`);
  return client.config.makeApiClient(api as k8s.ApiConstructor<k8s.ApiType>) as Methods;
};
const call = (groupVersion: string, name: string, ...asked: [object, object?]) => {
  const methods = methodsOf(groupVersion);
  const method = methods[name];
  if (method === undefined) throw new Error(`${groupVersion} has no ${name}`);
  return method.apply(methods, asked);
};

const objects: readonly PlainObject[] = [
  ...plainKinds,
  ...[...otherKinds, ...workloadKinds].map(({ object }) => object),
];
const byKey = new Map(objects.map((object) => [`${object.apiVersion} ${object.kind}`, object]));
const signingRequest = (request: string): PlainObject => ({
  apiVersion: 'certificates.k8s.io/v1',
  kind: 'CertificateSigningRequest',
  metadata: { name: 'plain' },
  spec: { request, signerName: 'kubernetes.io/kube-apiserver-client', usages: ['client auth'] },
});
const marked = (object: Seen, value: string): Seen => ({
  ...object,
  metadata: { ...object.metadata, labels: { ...object.metadata.labels, 'client-node': value } },
});
const asMergePatch = k8s.setHeaderOptions('Content-Type', k8s.PatchStrategy.MergePatch);

/** A kind as discovery tells of it, and calls of its methods. */
class Served {
  readonly groupVersion: string;
  readonly resource: k8s.V1APIResource;
  readonly subresources: readonly string[];
  readonly object: PlainObject;

  constructor(groupVersion: string, resource: k8s.V1APIResource, all: k8s.V1APIResource[]) {
    this.groupVersion = groupVersion;
    this.resource = resource;
    const prefix = `${resource.name}/`;
    this.subresources = all
      .filter(({ name }) => name.startsWith(prefix))
      .map(({ name }) => name.slice(prefix.length));
    const object = byKey.get(`${groupVersion} ${resource.kind}`);
    if (object === undefined) throw new Error(`no object of ${groupVersion} ${resource.kind}`);
    this.object = object;
  }

  /** For all objects of the kind, within the namespace if it has one. */
  get place(): object {
    return this.resource.namespaced ? { namespace: 'default' } : {};
  }

  get one(): object {
    return { ...this.place, name: this.object.metadata.name };
  }

  /** `act('patch', 'Status')` calls `patchNamespacedPodStatus`. */
  act(verb: string, asked: object, suffix = ''): Promise<Seen> {
    const { kind, namespaced } = this.resource;
    const name = `${verb}${namespaced ? 'Namespaced' : ''}${kind}${suffix}`;
    const options = verb === 'patch' ? [asMergePatch] : [];
    return call(this.groupVersion, name, asked, ...options);
  }

  create(label: string): Promise<Seen> {
    const body = marked(this.object as unknown as Seen, label);
    return this.act('create', { ...this.place, body });
  }

  /** Reads and replaces, again when a controller was quicker. */
  async replace(change: (read: Seen) => Seen, suffix = ''): Promise<Seen> {
    for (;;) {
      const body = change(await this.act('read', this.one, suffix));
      try {
        return await this.act('replace', { ...this.one, body }, suffix);
      } catch (error) {
        if ((error as { code?: number }).code !== 409) throw error;
      }
    }
  }

  async gone(): Promise<void> {
    await until(async () => {
      const read = this.act('read', this.one);
      return read.then(
        () => false,
        (error: { code?: number }) => error.code === 404,
      );
    });
  }
}

describe.each(Object.keys(CLASSES))('%s', (groupVersion) => {
  it('does with every kind what discovery says that it can do', async () => {
    const { resources } = await call(groupVersion, 'getAPIResources', {});
    const kept = resources.filter(
      ({ name, kind }) => !name.includes('/') && !NOT_KEPT.includes(kind),
    );
    expect(kept.length).toBeGreaterThan(0);
    for (const resource of kept) {
      expect(resource.verbs).toEqual(expect.arrayContaining(['create', 'get', 'list', 'watch']));
      const served = new Served(groupVersion, resource, resources);
      try {
        await everyVerb(served);
      } catch (error) {
        throw new Error(`${groupVersion} ${resource.kind}: ${String(error)}`, { cause: error });
      }
    }
  });
});

async function everyVerb(served: Served): Promise<void> {
  const { resource, place, one } = served;
  const names = ({ items }: Seen) => items.map(({ metadata }) => metadata.name);
  const { name } = (await served.create('made')).metadata;
  expect(name).toBe(served.object.metadata.name);
  const labelSelector = 'client-node=made';
  expect(names(await served.act('list', { ...place, labelSelector }))).toEqual([name]);
  if (resource.namespaced) {
    const everywhere = `list${resource.kind}ForAllNamespaces`;
    expect(names(await call(served.groupVersion, everywhere, {}))).toContain(name);
  }
  const replaced = await served.replace((read) => marked(read, 'new'));
  expect(replaced.metadata.labels?.['client-node']).toBe('new');
  const patch = { metadata: { labels: { 'client-node': 'patched' } } };
  const patched = await served.act('patch', { ...one, body: patch });
  expect(patched.metadata.labels?.['client-node']).toBe('patched');
  if (served.subresources.includes('status')) await statusVerbs(served);
  if (served.subresources.includes('scale')) await scaleVerbs(served);
  await served.act('delete', { ...one, gracePeriodSeconds: 0, propagationPolicy: 'Background' });
  await served.gone();
  if (!resource.verbs.includes('deletecollection')) return;
  await served.create('again');
  const again = { ...place, labelSelector: 'client-node=again' };
  await call(served.groupVersion, collectionOf(served), again);
  await served.gone();
}

const collectionOf = ({ resource: { kind, namespaced } }: Served) =>
  `deleteCollection${namespaced ? 'Namespaced' : ''}${kind}`;

/** Kinds whose status is written without labels; those of others go along, as upstream's kinds have it. */
const KEEP_LABELS = new Set([
  'APIService',
  'CustomResourceDefinition',
  'Deployment',
  'FlowSchema',
  'PriorityLevelConfiguration',
  'ResourceClaim',
  'ValidatingAdmissionPolicy',
  'VolumeAttachment',
]);

/** A status is read and written on its own. */
async function statusVerbs(served: Served): Promise<void> {
  const { one } = served;
  const read = await served.act('read', one, 'Status');
  const replaced = await served.replace((seen) => marked(seen, 'by-status'), 'Status');
  const label = KEEP_LABELS.has(served.resource.kind) ? 'patched' : 'by-status';
  expect(replaced.metadata.labels?.['client-node']).toBe(label);
  const patched = await served.act('patch', { ...one, body: { status: {} } }, 'Status');
  expect(patched.metadata.name).toBe(read.metadata.name);
}

async function scaleVerbs(served: Served): Promise<void> {
  const { one } = served;
  const replaced = await served.replace((read) => ({ ...read, spec: { replicas: 3 } }), 'Scale');
  expect(replaced.spec.replicas).toBe(3);
  const patch = { spec: { replicas: 0 } };
  await served.act('patch', { ...one, body: patch }, 'Scale');
  expect((await served.act('read', one)).spec.replicas).toBe(0);
}
