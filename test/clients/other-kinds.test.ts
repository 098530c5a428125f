// Real kubectl on the kinds beside workloads: made, shown, described, explained and deleted as it does on upstream.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { aSigningRequest } from '../support/signing-request.ts';
import { otherKinds } from './other-kinds.ts';
import { describeShownKinds } from './shown-kinds.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster({ node: false });
});
afterAll(() => cluster?.stop());

const k = () => cluster.kubectl;
describeShownKinds(k, otherKinds);

describe('kubectl create', () => {
  it('makes an ingress, which describe shows by its rules', async () => {
    await k().ok(['create', 'ingress', 'made', '--class=nginx', '--rule=a.io/x*=web:80,tls=cert']);
    expect(await k().ok(['get', 'ing', 'made'])).toMatch(/made +nginx +a\.io +80, 443 +\d+s/);
    expect(await k().ok(['describe', 'ing', 'made'])).toMatch(/a\.io[^]*\/x +web:80/);
  });

  it('makes a priority class, and refuses a second default', async () => {
    const create = (name: string) =>
      k().run(['create', 'priorityclass', name, '--value=7', '--global-default=true']);
    expect((await create('made')).code).toBe(0);
    expect((await create('other')).stderr).toMatch(/PriorityClass made is already marked/);
    expect(await k().ok(['get', 'pc'])).toMatch(/system-node-critical +2000001000 +false/);
    await k().ok(['delete', 'pc', 'made']);
  });

  it('is told what is wrong, field by field', async () => {
    const bad = { ...otherKinds[0]?.object, spec: { rules: [{ host: '10.0.0.1' }] } };
    const { code, stderr } = await k().run(['apply', '-f', '-'], { input: JSON.stringify(bad) });
    expect(code).toBe(1);
    expect(stderr).toContain('spec.rules[0].host: Invalid value: "10.0.0.1"');
  });
});

it('a namespace takes them along, and an owner its dependents', async () => {
  const inNamespace = ['Ingress', 'NetworkPolicy', 'CSIStorageCapacity', 'ResourceClaim'];
  const objects = otherKinds.filter(({ object }) => inNamespace.includes(object.kind));
  expect(objects).toHaveLength(inNamespace.length);
  await k().ok(['create', 'namespace', 'ending']);
  await k().ok(['create', 'configmap', 'owner', '-n', 'ending']);
  const { uid } = (await k().json(['get', 'cm', 'owner', '-n', 'ending'])).metadata;
  const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid }];
  const place = (more: object) =>
    objects.map(({ object }) => ({
      ...object,
      metadata: { ...object.metadata, namespace: 'ending', ...more },
    }));
  const names = objects.map(({ object }) => `${object.kind.toLowerCase()}/${object.metadata.name}`);
  await k().apply(place({ ownerReferences }));
  await k().ok(['delete', 'cm', 'owner', '-n', 'ending']);
  await k().ok(['wait', '--for=delete', '--timeout=60s', '-n', 'ending', ...names]);
  await k().apply(place({}));
  await k().ok(['delete', 'namespace', 'ending', '--wait']);
  expect(await k().ok(['get', 'ing,netpol,csistoragecapacity,resourceclaim', '-A'])).not.toContain(
    'ending',
  );
});

it('kubectl certificate approves and denies', async () => {
  for (const [name, verb, text] of [
    ['good', 'approve', 'Approved'],
    ['bad', 'deny', 'Denied'],
  ] as const) {
    const spec = {
      request: await aSigningRequest(name),
      signerName: 'example.com/sign',
      usages: ['client auth'],
      expirationSeconds: 3600,
    };
    const kind = 'CertificateSigningRequest';
    await k().apply({ apiVersion: 'certificates.k8s.io/v1', kind, metadata: { name }, spec });
    const requestor = 'example.com/sign +kubernetes-admin +60m';
    expect(await k().ok(['get', 'csr', name])).toMatch(new RegExp(`${requestor} +Pending`));
    expect(await k().ok(['certificate', verb, name])).toContain(text.toLowerCase());
    expect(await k().ok(['get', 'csr', name])).toMatch(new RegExp(`${requestor} +${text}`));
    expect(await k().ok(['describe', 'csr', name])).toMatch(/Signer: +example.com\/sign/);
  }
});

it('kubectl events and get show an event of either version', async () => {
  await k().apply({
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: 'seen', namespace: 'default' },
    eventTime: '2026-01-02T03:04:05.000000Z',
    reportingController: 'example.com/tester',
    reportingInstance: 'tester-1',
    action: 'Testing',
    reason: 'Tested',
    type: 'Normal',
    regarding: { kind: 'Pod', namespace: 'default', name: 'web' },
    note: 'all is well',
  });
  const line = /Normal +Tested +[Pp]od\/web +all is well/;
  expect(await k().ok(['events'])).toMatch(line);
  expect(await k().ok(['get', 'events'])).toMatch(line);
  expect(await k().ok(['get', 'events.v1.events.k8s.io'])).toMatch(line);
});
