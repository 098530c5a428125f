// Real kubectl on kinds of workloads, storage, limits and budgets: its own commands for them, and what it shows.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { describeShownKinds } from './shown-kinds.ts';
import { workloadKinds } from './workload-kinds.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster({ node: false });
});
afterAll(() => cluster?.stop());

const k = () => cluster.kubectl;
const objectOf = (kind: string) => {
  const found = workloadKinds.find(({ object }) => object.kind === kind);
  if (!found) throw new Error(`there is no ${kind} in the table`);
  return found.object;
};

describeShownKinds(k, workloadKinds);

describe('kubectl create', () => {
  it('makes a job, and one from a cron job', async () => {
    await k().ok(['create', 'job', 'made', '--image=work:1', '--', 'work', '--hard']);
    expect(await k().ok(['get', 'job', 'made'])).toMatch(/made +Running +0\/1 +\d+s/);
    await k().ok(['create', 'cronjob', 'tick', '--image=work:2', '--schedule=@hourly', '--', 'go']);
    expect(await k().ok(['get', 'cj', 'tick'])).toMatch(/tick +@hourly +<none> +False +0 +<none>/);
    await k().ok(['create', 'job', 'now', '--from=cronjob/tick']);
    const job = await k().json(['get', 'job', 'now']);
    expect(job.metadata.ownerReferences).toMatchObject([{ kind: 'CronJob', name: 'tick' }]);
    expect(job.spec.template.spec.containers[0]).toMatchObject({
      image: 'work:2',
      command: ['go'],
    });
    await k().ok(['delete', 'job/made', 'job/now', 'cj/tick']);
  });

  it('makes a budget and a quota', async () => {
    await k().ok(['create', 'pdb', 'made', '--selector=app=x', '--min-available=1']);
    expect(await k().ok(['get', 'pdb', 'made'])).toMatch(/made +1 +N\/A +0 +\d+s/);
    await k().ok(['create', 'quota', 'made', '--hard=cpu=2,pods=3', '--scopes=NotTerminating']);
    const { spec } = await k().json(['get', 'quota', 'made']);
    expect(spec).toEqual({ hard: { cpu: '2', pods: '3' }, scopes: ['NotTerminating'] });
    await k().ok(['wait', '--for=jsonpath={.status.hard.pods}=3', 'quota/made', '--timeout=60s']);
    expect(await k().ok(['get', 'quota', 'made'])).toMatch(/made +cpu: 0\/2, pods: 0\/3 +\d+s/);
    await k().ok(['delete', 'pdb/made', 'quota/made']);
  });

  it('is told what is wrong, field by field', async () => {
    const create = async (...args: string[]) => (await k().run(['create', ...args])).stderr;
    expect(await create('cronjob', 'bad', '--image=a', '--schedule=61 * * * *')).toContain(
      'spec.schedule: Invalid value: "61 * * * *": end of range (61) above maximum (59): 61',
    );
    expect(await create('quota', 'bad', '--hard=gold=1')).toContain(
      'spec.hard[gold]: Invalid value: "gold": must be a standard resource for quota',
    );
  });
});

it('kubectl scale reaches every kind that can be scaled', async () => {
  for (const kind of ['StatefulSet', 'ReplicationController']) {
    const object = objectOf(kind);
    const name = `${kind}/${object.metadata.name}`;
    await k().apply(object);
    expect(await k().ok(['scale', name, '--replicas=5'])).toMatch(/ scaled\n$/);
    expect((await k().json(['get', name])).spec.replicas).toBe(5);
    await k().ok(['delete', name]);
  }
});

it('kubectl rollout restart and set image change templates, and count it', async () => {
  for (const kind of ['StatefulSet', 'DaemonSet']) {
    const object = objectOf(kind);
    const name = `${kind}/${object.metadata.name}`;
    await k().apply(object);
    await k().ok(['set', 'image', name, 'db=db:2']);
    await k().ok(['rollout', 'restart', name]);
    const { metadata, spec } = await k().json(['get', name]);
    expect(metadata.generation).toBe(3);
    expect(spec.template.spec.containers[0].image).toBe('db:2');
    await k().ok(['delete', name]);
  }
});

it('kubectl apply is told what may not change', async () => {
  const object = objectOf('StatefulSet');
  await k().apply(object);
  const changed = { ...object, spec: { ...(object['spec'] as object), serviceName: 'other' } };
  const { code, stderr } = await k().run(['apply', '-f', '-'], { input: JSON.stringify(changed) });
  expect(code).toBe(1);
  expect(stderr).toContain("for fields other than 'replicas', 'ordinals', 'template'");
  await k().ok(['delete', 'sts', 'db']);
});

it('kubectl get all shows workloads, and nothing of what they need', async () => {
  await k().ok(['create', 'namespace', 'whole']);
  const objects = workloadKinds
    .filter(({ object }) => object.kind !== 'PersistentVolume')
    .map(({ object }) => ({ ...object, metadata: { ...object.metadata, namespace: 'whole' } }));
  await k().apply(objects);
  const all = await k().ok(['get', 'all', '-n', 'whole', '-o', 'name']);
  expect(
    all
      .trim()
      .split('\n')
      .toSorted((a, b) => (a < b ? -1 : 1)),
  ).toEqual([
    'cronjob.batch/nightly',
    'daemonset.apps/agent',
    'job.batch/once',
    'replicationcontroller/old',
    'statefulset.apps/db',
  ]);
  await k().ok(['delete', 'namespace', 'whole', '--wait']);
  expect(await k().ok(['get', 'job,cj,sts,ds,rc,pvc,pdb,quota,limits', '-A'])).not.toContain(
    'whole',
  );
});

it('kubectl get componentstatuses says how the parts are', async () => {
  const { stdout, stderr } = await k().run(['get', 'cs']);
  expect(stderr).toContain('Warning: v1 ComponentStatus is deprecated in v1.19+');
  expect(stdout).toMatch(/^NAME +STATUS +MESSAGE +ERROR *\n/);
  expect(stdout).toMatch(/etcd-0 +Healthy +ok/);
});
