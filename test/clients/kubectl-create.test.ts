// Every generator of `kubectl create`, with the flags that change what is made: the object that the server keeps is what was asked for.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { KUBECTL_VERSIONS } from '../support/kubectl.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster({ node: false });
});
afterAll(() => cluster?.stop());

/** A generator: what is typed after `create`, and what is then kept. NAME is a name of its own for each version of kubectl. */
interface Generated {
  readonly typed: string;
  /** What kubectl says of it before ` created`. */
  readonly says: string;
  readonly kept: object;
}

const role = (group: string, resources: string[], verbs: string[]) => ({
  apiGroups: [group],
  resources,
  verbs,
});
const serviceOf = (type: string, port: object, more: object = {}) => ({
  spec: { type, ports: [{ protocol: 'TCP', ...port }], selector: { app: 'NAME' }, ...more },
});
const templateOf = (containers: object[], more: object = {}) => ({
  template: { spec: { containers, ...more } },
});
const base64 = (text: string) => Buffer.from(text).toString('base64');

const GENERATED: readonly Generated[] = [
  {
    typed: 'clusterrole NAME --verb=get,list --resource=pods,deployments.apps/scale',
    says: 'clusterrole.rbac.authorization.k8s.io/NAME',
    kept: {
      rules: [
        role('', ['pods'], ['get', 'list']),
        role('apps', ['deployments/scale'], ['get', 'list']),
      ],
    },
  },
  {
    typed: 'clusterrole NAME-paths --verb=get --non-resource-url=/logs/*',
    says: 'clusterrole.rbac.authorization.k8s.io/NAME-paths',
    kept: { rules: [{ nonResourceURLs: ['/logs/*'], verbs: ['get'] }] },
  },
  {
    typed: 'clusterrole NAME-sum --aggregation-rule=part=NAME',
    says: 'clusterrole.rbac.authorization.k8s.io/NAME-sum',
    kept: { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { part: 'NAME' } }] } },
  },
  {
    typed:
      'clusterrolebinding NAME --clusterrole=view --user=ann --group=team --serviceaccount=default:robot',
    says: 'clusterrolebinding.rbac.authorization.k8s.io/NAME',
    kept: {
      roleRef: { kind: 'ClusterRole', name: 'view' },
      subjects: [
        { kind: 'User', name: 'ann' },
        { kind: 'Group', name: 'team' },
        { kind: 'ServiceAccount', namespace: 'default', name: 'robot' },
      ],
    },
  },
  {
    typed: 'configmap NAME --from-literal=a=b --from-file=FOLDER/text --from-file=raw=FOLDER/bytes',
    says: 'configmap/NAME',
    kept: { data: { a: 'b', text: 'hello\n' }, binaryData: { raw: '//4=' } },
  },
  {
    typed: 'configmap NAME-env --from-env-file=FOLDER/variables',
    says: 'configmap/NAME-env',
    kept: { data: { A: '1', B: 'two' } },
  },
  {
    typed: 'cronjob NAME --image=w:1 --schedule=*/5_*_*_*_* --restart=Never -- a b',
    says: 'cronjob.batch/NAME',
    kept: {
      spec: {
        schedule: '*/5 * * * *',
        jobTemplate: {
          spec: templateOf([{ image: 'w:1', command: ['a', 'b'] }], { restartPolicy: 'Never' }),
        },
      },
    },
  },
  {
    typed: 'job NAME --image=w:1 -- run it',
    says: 'job.batch/NAME',
    kept: { spec: templateOf([{ image: 'w:1', command: ['run', 'it'] }]) },
  },
  {
    typed: 'job NAME-now --from=cronjob/NAME',
    says: 'job.batch/NAME-now',
    kept: {
      metadata: {
        annotations: { 'cronjob.kubernetes.io/instantiate': 'manual' },
        ownerReferences: [{ kind: 'CronJob', name: 'NAME', controller: true }],
      },
    },
  },
  {
    typed: 'deployment NAME --image=w:1 --image=v:2 --replicas=0',
    says: 'deployment.apps/NAME',
    kept: { spec: { replicas: 0, ...templateOf([{ image: 'w:1' }, { image: 'v:2' }]) } },
  },
  {
    typed: 'deployment NAME-port --image=w:1 --replicas=0 --port=80 -- sleep 9',
    says: 'deployment.apps/NAME-port',
    kept: {
      spec: templateOf([{ ports: [{ containerPort: 80 }], command: ['sleep', '9'] }]),
    },
  },
  {
    typed:
      'ingress NAME --class=nginx --rule=a.io/x*=web:80,tls=cert --annotation=k=v --default-backend=all:http',
    says: 'ingress.networking.k8s.io/NAME',
    kept: {
      metadata: { annotations: { k: 'v' } },
      spec: {
        ingressClassName: 'nginx',
        defaultBackend: { service: { name: 'all', port: { name: 'http' } } },
        rules: [
          {
            host: 'a.io',
            http: {
              paths: [
                {
                  path: '/x',
                  pathType: 'Prefix',
                  backend: { service: { name: 'web', port: { number: 80 } } },
                },
              ],
            },
          },
        ],
        tls: [{ hosts: ['a.io'], secretName: 'cert' }],
      },
    },
  },
  {
    typed: 'namespace NAME-other',
    says: 'namespace/NAME-other',
    kept: { status: { phase: 'Active' } },
  },
  {
    typed: 'pdb NAME --selector=app=x --min-available=50%',
    says: 'poddisruptionbudget.policy/NAME',
    kept: { spec: { minAvailable: '50%', selector: { matchLabels: { app: 'x' } } } },
  },
  {
    typed: 'pdb NAME-max --selector=app=x --max-unavailable=1',
    says: 'poddisruptionbudget.policy/NAME-max',
    kept: { spec: { maxUnavailable: 1 } },
  },
  {
    typed: 'priorityclass NAME --value=10 --description=low --preemption-policy=Never',
    says: 'priorityclass.scheduling.k8s.io/NAME',
    kept: { value: 10, description: 'low', preemptionPolicy: 'Never' },
  },
  {
    typed: 'quota NAME --hard=configmaps=50,secrets=50',
    says: 'resourcequota/NAME',
    kept: { spec: { hard: { configmaps: '50', secrets: '50' } } },
  },
  {
    typed: 'role NAME --verb=get,watch --resource=pods,pods/log --resource-name=one',
    says: 'role.rbac.authorization.k8s.io/NAME',
    kept: {
      rules: [{ ...role('', ['pods', 'pods/log'], ['get', 'watch']), resourceNames: ['one'] }],
    },
  },
  {
    typed: 'rolebinding NAME --role=NAME --user=ann --serviceaccount=default:robot',
    says: 'rolebinding.rbac.authorization.k8s.io/NAME',
    kept: {
      roleRef: { kind: 'Role', name: 'NAME' },
      subjects: [
        { kind: 'User', name: 'ann' },
        { kind: 'ServiceAccount', name: 'robot' },
      ],
    },
  },
  {
    typed: 'secret generic NAME --from-literal=a=b --type=example.com/own',
    says: 'secret/NAME',
    kept: { type: 'example.com/own', data: { a: base64('b') } },
  },
  {
    typed: 'secret tls NAME-tls --cert=FOLDER/cert --key=FOLDER/key',
    says: 'secret/NAME-tls',
    kept: { type: 'kubernetes.io/tls', data: { 'tls.crt': expect.stringMatching(/^LS0t/) } },
  },
  {
    typed:
      'secret docker-registry NAME-reg --docker-server=r --docker-username=u --docker-password=p',
    says: 'secret/NAME-reg',
    kept: {
      type: 'kubernetes.io/dockerconfigjson',
      data: {
        '.dockerconfigjson': base64(
          JSON.stringify({ auths: { r: { username: 'u', password: 'p', auth: base64('u:p') } } }),
        ),
      },
    },
  },
  {
    typed: 'service clusterip NAME --tcp=80:8080',
    says: 'service/NAME',
    kept: serviceOf('ClusterIP', { port: 80, targetPort: 8080, name: '80-8080' }),
  },
  {
    typed: 'service clusterip NAME-none --clusterip=None --tcp=80',
    says: 'service/NAME-none',
    kept: { spec: { clusterIP: 'None', ports: [{ port: 80, targetPort: 80 }] } },
  },
  {
    typed: 'service nodeport NAME-np --tcp=80',
    says: 'service/NAME-np',
    kept: { spec: { type: 'NodePort', ports: [{ nodePort: expect.any(Number) }] } },
  },
  {
    typed: 'service loadbalancer NAME-lb --tcp=80:http',
    says: 'service/NAME-lb',
    kept: { spec: { type: 'LoadBalancer', ports: [{ port: 80, targetPort: 'http' }] } },
  },
  {
    typed: 'service externalname NAME-ext --external-name=example.com',
    says: 'service/NAME-ext',
    kept: { spec: { type: 'ExternalName', externalName: 'example.com' } },
  },
  {
    typed: 'serviceaccount NAME',
    says: 'serviceaccount/NAME',
    kept: { kind: 'ServiceAccount' },
  },
];

describe.each(KUBECTL_VERSIONS)('kubectl $version create', ({ binary, word }) => {
  const name = `made-${word}`;
  const k = () => cluster.kubectl.with({ binary });
  const folder = () => join(cluster.dataDir, 'home');
  const filled = (text: string) => text.replaceAll('NAME', name).replaceAll('FOLDER', folder());
  const argsOf = (text: string) =>
    text.split(' ').map((word_) => filled(word_).replaceAll('_', ' '));
  const create = (typed: string, ...more: string[]) => {
    const args = argsOf(typed);
    const at = args.indexOf('--');
    const flags = ['-n', word, ...more];
    return k().run(['create', ...args.toSpliced(at < 0 ? args.length : at, 0, ...flags)]);
  };

  beforeAll(async () => {
    await k().ok(['create', 'namespace', word]);
    writeFileSync(join(folder(), 'text'), 'hello\n');
    writeFileSync(join(folder(), 'bytes'), Uint8Array.of(0xff, 0xfe));
    writeFileSync(join(folder(), 'variables'), 'A=1\nB=two\n');
    const { pki } = cluster.paths;
    for (const [to, from] of [
      ['cert', 'admin.crt'],
      ['key', 'admin.key'],
    ] as const)
      await cluster.host.run('cp', [join(pki, from), join(folder(), to)]);
  });
  afterAll(() => {
    for (const file of ['text', 'bytes', 'variables', 'cert', 'key'])
      rmSync(join(folder(), file), { force: true });
  });

  it.each(GENERATED)('$typed', async ({ typed, says, kept }) => {
    expect((await create(typed, '--dry-run=server')).stdout).toBe(
      `${filled(says)} created (server dry run)\n`,
    );
    expect(await create(typed)).toMatchObject({ code: 0, stdout: `${filled(says)} created\n` });
    const found = await k().json(['get', filled(says), '-n', word]);
    expect(found).toMatchObject(filledIn(kept));
    const again = await create(typed);
    expect(again).toMatchObject({ code: 1, stdout: '' });
    expect(again.stderr).toMatch(/already exists$/m);
  });

  /** The object with its names filled in; matchers stay as they are. */
  function filledIn<T>(value: T): T {
    if (typeof value === 'string') return filled(value) as T;
    if (Array.isArray(value)) return value.map((entry: unknown) => filledIn(entry)) as T;
    if (typeof value !== 'object' || value === null) return value;
    if (Object.getPrototypeOf(value) !== Object.prototype) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, entry]) => [key, filledIn(entry)]),
    ) as T;
  }

  it('token: one that the server takes, for as long and for whom it was asked', async () => {
    await k().ok(['create', 'serviceaccount', 'robot', '-n', word]);
    const token = (...args: string[]) => k().ok(['create', 'token', 'robot', '-n', word, ...args]);
    const claimsOf = (jwt: string) =>
      JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString());
    const plain = (await token()).trim();
    const config = k().with({ kubeconfig: '/dev/null' });
    const as = ['--server', cluster.url, '--token', plain];
    const ca = ['--certificate-authority', join(cluster.paths.pki, 'ca.crt')];
    expect(await config.ok(['auth', 'whoami', ...as, ...ca])).toMatch(
      new RegExp(`Username +system:serviceaccount:${word}:robot`),
    );
    const { exp, iat, aud } = claimsOf(await token('--duration=20m', '--audience=vault'));
    expect([exp - iat, aud]).toEqual([1200, ['vault']]);
    const bound = await token('--bound-object-kind=Secret', `--bound-object-name=${name}`);
    expect(claimsOf(bound)['kubernetes.io'].secret.name).toBe(name);
    const refused = await k().run(['create', 'token', 'nobody', '-n', word]);
    expect(refused.stderr).toBe(
      'error: failed to create token: serviceaccounts "nobody" not found\n',
    );
  });

  it('-f of several files and folders, with what was applied kept where it is asked for', async () => {
    const file = join(folder(), 'several.yaml');
    const one = (own: string) =>
      `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${own}\n  namespace: ${word}\n`;
    writeFileSync(file, `${one('first')}---\n${one('second')}`);
    const said = await k().ok(['create', '-f', file, '--save-config']);
    rmSync(file);
    expect(said).toBe('configmap/first created\nconfigmap/second created\n');
    const { metadata } = await k().json(['get', 'cm', 'first', '-n', word]);
    expect(metadata.annotations).toHaveProperty([
      'kubectl.kubernetes.io/last-applied-configuration',
    ]);
  });
});
