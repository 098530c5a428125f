// Tests of what the runtime is told: environments, limits, security, mounts, names.
import { describe, expect, it } from 'vitest';
import type { ConfigMap, Container, PodSpec, Secret } from '../../api/generated/types.ts';
import { resolveConfiguration } from '../configuration.ts';
import type { ObjectSources } from '../volumes/object-sources.ts';
import { type ContainerFacts, containerConfigOf, sandboxResources } from './container-config.ts';
import { environmentOf, expand } from './environment.ts';
import { aContainer, aPod } from './fixtures/pod-scenes.ts';
import { hostnameOf, resolvConf, sandboxConfigOf } from './sandbox-config.ts';

const GIB = 2 ** 30;

const facts = (
  spec: Partial<PodSpec> = {},
  parts: Partial<ContainerFacts> = {},
): ContainerFacts => ({
  pod: aPod(spec),
  attempt: 0,
  imageId: 'sha256:x',
  env: [],
  volumes: new Map([['data', '/host/data']]),
  subPath: (root, inside, index) => `${root}|${inside}|${index}`,
  logPath: '/log',
  annotations: {},
  nodeMemoryBytes: 10 * GIB,
  configuration: resolveConfiguration(),
  seccompProfiles: '/seccomp',
  ...parts,
});

const configOf = (container: Partial<Container>, spec: Partial<PodSpec> = {}) => {
  const whole = aContainer('app', container);
  return containerConfigOf(whole, facts({ containers: [whole], ...spec }));
};

describe('limits', () => {
  it.each<[Container['resources'], object]>([
    [undefined, { cpuShares: 2, oomScoreAdj: 1000 }],
    [{ requests: { cpu: '250m', memory: '1Gi' } }, { cpuShares: 256, oomScoreAdj: 900 }],
    [
      { limits: { cpu: '500m', memory: '64Mi' } },
      {
        cpuShares: 512,
        cpuQuotaUs: 50_000,
        cpuPeriodUs: 100_000,
        memoryLimitBytes: 64 * 2 ** 20,
        oomScoreAdj: -997,
      },
    ],
    [
      { requests: { cpu: '1m' }, limits: { cpu: '1m' } },
      { cpuShares: 2, cpuQuotaUs: 1000 },
    ],
    [{ requests: { memory: '10Gi' } }, { oomScoreAdj: 3 }],
    [{ requests: { memory: '1Ki' } }, { oomScoreAdj: 999 }],
  ])('of %j become %j', (resources, expected) => {
    expect(configOf({ resources }).resources).toMatchObject(expected);
  });

  it('of a pod are its containers’ together, where each has one', () => {
    const limited = aContainer('a', { resources: { limits: { cpu: '1', memory: '1Gi' } } });
    const half = aContainer('b', { resources: { limits: { cpu: '1' } } });
    expect(sandboxResources({ containers: [limited, half] })).toEqual({
      cpuShares: 2048,
      cpuQuotaUs: 200_000,
      cpuPeriodUs: 100_000,
    });
    expect(sandboxResources({ containers: [limited] })).toMatchObject({ memoryLimitBytes: GIB });
    const unlimited = aContainer('init', {});
    const withInit = { containers: [limited], initContainers: [unlimited] };
    expect(sandboxResources(withInit)).not.toHaveProperty('memoryLimitBytes');
    const stated = { containers: [half], resources: { limits: { memory: '2Gi' } } };
    expect(sandboxResources(stated)).toMatchObject({ memoryLimitBytes: 2 * GIB });
  });

  it('let a sidecar and what the node cannot do without die last', () => {
    const resources = { requests: { memory: '5Gi' } };
    const main = aContainer('app', { resources });
    const sidecar = aContainer('proxy', { restartPolicy: 'Always' });
    const of = (container: Container, spec: Partial<PodSpec>) =>
      containerConfigOf(container, facts(spec)).resources.oomScoreAdj;
    const spec = { containers: [main], initContainers: [sidecar] };
    expect(of(sidecar, spec)).toBe(500);
    expect(of({ ...sidecar, restartPolicy: 'Never' }, spec)).toBe(999);
    expect(of(main, { ...spec, priorityClassName: 'system-node-critical' })).toBe(-997);
  });
});

describe('security', () => {
  it('of the container counts more than that of the pod', () => {
    const { security } = configOf(
      {
        securityContext: {
          runAsUser: 5,
          readOnlyRootFilesystem: true,
          allowPrivilegeEscalation: false,
          capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] },
        },
      },
      {
        securityContext: {
          runAsUser: 1,
          runAsGroup: 2,
          fsGroup: 9,
          supplementalGroups: [7],
          seccompProfile: { type: 'RuntimeDefault' },
        },
      },
    );
    expect(security).toEqual({
      privileged: false,
      readOnlyRootfs: true,
      runAsUser: 5,
      runAsGroup: 2,
      supplementalGroups: [7, 9],
      addCapabilities: ['NET_BIND_SERVICE'],
      dropCapabilities: ['ALL'],
      noNewPrivileges: true,
      seccomp: 'RuntimeDefault',
    });
  });

  it('leaves a privileged container unconfined', () => {
    const securityContext = { privileged: true, seccompProfile: { type: 'RuntimeDefault' } };
    expect(configOf({ securityContext }).security).toMatchObject({
      privileged: true,
      seccomp: 'Unconfined',
    });
  });
});

describe('profiles', () => {
  const seccomp = (own: object | undefined, seccompDefault = false, pod: object = {}) => {
    const securityContext = { seccompProfile: own } as Container['securityContext'];
    const whole = aContainer('app', { securityContext });
    const configuration = resolveConfiguration({ seccompDefault });
    const spec = { containers: [whole], securityContext: pod } as Partial<PodSpec>;
    return containerConfigOf(whole, facts(spec, { configuration })).security.seccomp;
  };

  it('of seccomp are the node’s default unless one is said', () => {
    expect(seccomp(undefined)).toBe('Unconfined');
    expect(seccomp(undefined, true)).toBe('RuntimeDefault');
    expect(seccomp({ type: 'Unconfined' }, true)).toBe('Unconfined');
    expect(seccomp(undefined, true, { seccompProfile: { type: 'Unconfined' } })).toBe('Unconfined');
  });

  it('of the host lie in the node’s folder, and nowhere else', () => {
    const local = (localhostProfile: string) => seccomp({ type: 'Localhost', localhostProfile });
    expect(local('team/strict.json')).toEqual({ localhostProfile: '/seccomp/team/strict.json' });
    expect(() => local('../../etc/shadow')).toThrow('does not lie in');
    expect(() => local('/etc/shadow')).toThrow('does not lie in');
  });
});

describe('mounts', () => {
  it('lead to volumes and parts of them', () => {
    const mounts = [
      { name: 'data', mountPath: '/a', readOnly: true },
      { name: 'data', mountPath: '/b', subPathExpr: 'of-$(NAME)' },
    ];
    const whole = aContainer('app', { volumeMounts: mounts });
    const config = containerConfigOf(whole, facts({}, { env: [{ name: 'NAME', value: 'me' }] }));
    expect(config.mounts).toEqual([
      { hostPath: '/host/data', containerPath: '/a', readOnly: true },
      { hostPath: '/host/data|of-me|1', containerPath: '/b', readOnly: false },
    ]);
  });

  it('are read-only with all below them where that is asked for, and can be', () => {
    const mount = { name: 'data', mountPath: '/a', readOnly: true };
    const recursive = (asked: string, able: boolean) => {
      const volumeMounts = [{ ...mount, recursiveReadOnly: asked }];
      const whole = aContainer('app', { volumeMounts });
      return containerConfigOf(whole, facts({}, { recursiveReadOnly: able })).mounts[0]
        ?.recursiveReadOnly;
    };
    expect(recursive('Disabled', true)).toBeUndefined();
    expect(recursive('Enabled', false)).toBe(true);
    expect(recursive('IfPossible', true)).toBe(true);
    expect(recursive('IfPossible', false)).toBeUndefined();
  });

  it.each([{ configMap: {} }, { secret: {} }, { projected: {} }, { downwardAPI: {} }])(
    'of what the API has the content of are read-only, whatever they say: %j',
    (source) => {
      const volumeMounts = [{ name: 'data', mountPath: '/a', readOnly: false }];
      const { mounts } = configOf({ volumeMounts }, { volumes: [{ name: 'data', ...source }] });
      expect(mounts).toMatchObject([{ readOnly: true }]);
      const own = configOf({ volumeMounts }, { volumes: [{ name: 'data', emptyDir: {} }] });
      expect(own.mounts).toMatchObject([{ readOnly: false }]);
    },
  );

  it('of a volume that is not there are refused', () => {
    expect(() => configOf({ volumeMounts: [{ name: 'none', mountPath: '/a' }] })).toThrow('none');
  });
});

describe('expand', () => {
  const values = new Map([['A', '1']]);
  it.each([
    ['$(A)', '1'],
    ['x$(A)y$(A)', 'x1y1'],
    ['$(B)', '$(B)'],
    ['$$(A)', '$(A)'],
    ['$$$(A)', '$1'],
    ['$A', '$A'],
    ['$(A', '$(A'],
    ['100$', '100$'],
  ])('makes %s into %s', (text, expected) => expect(expand(text, values)).toBe(expected));
});

describe('environment', () => {
  const configMap: ConfigMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {},
    data: { COLOR: 'red', 'a=b': 'bad' },
  };
  const secret: Secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {},
    data: { KEY: Buffer.from('hidden').toString('base64') },
  };
  const sources = {
    configMap: async (_: string, name: string) => (name === 'cfg' ? configMap : undefined),
    secret: async (_: string, name: string) => (name === 'sec' ? secret : undefined),
  } as unknown as ObjectSources;
  const of = (container: Partial<Container>, spec: Partial<PodSpec> = {}) =>
    environmentOf(aContainer('app', container), {
      pod: aPod(spec),
      sources,
      services: [
        {
          apiVersion: 'v1',
          kind: 'Service',
          metadata: { name: 'my-db', namespace: 'shop' },
          spec: { clusterIP: '10.96.0.7', ports: [{ port: 5432, name: 'sql' }] },
        },
        {
          apiVersion: 'v1',
          kind: 'Service',
          metadata: { name: 'kubernetes', namespace: 'default' },
          spec: {
            clusterIP: 'fd00::1',
            ports: [{ port: 443 }, { port: 53, name: 'dns-udp', protocol: 'UDP' }],
          },
        },
      ],
      facts: {
        podIp: '10.0.0.2',
        hostIp: '1.2.3.4',
        nodeName: 'node-1',
        allocatable: { cpuMillis: 1900, memoryBytes: GIB, storageBytes: GIB },
      },
    }).then((list) => Object.fromEntries(list.map(({ name, value }) => [name, value])));

  const ofTheApi = {
    KUBERNETES_SERVICE_HOST: 'fd00::1',
    KUBERNETES_SERVICE_PORT: '443',
    KUBERNETES_SERVICE_PORT_DNS_UDP: '53',
    KUBERNETES_PORT: 'tcp://[fd00::1]:443',
    KUBERNETES_PORT_443_TCP: 'tcp://[fd00::1]:443',
    KUBERNETES_PORT_443_TCP_PROTO: 'tcp',
    KUBERNETES_PORT_443_TCP_PORT: '443',
    KUBERNETES_PORT_443_TCP_ADDR: 'fd00::1',
    KUBERNETES_PORT_53_UDP: 'udp://[fd00::1]:53',
    KUBERNETES_PORT_53_UDP_PROTO: 'udp',
    KUBERNETES_PORT_53_UDP_PORT: '53',
    KUBERNETES_PORT_53_UDP_ADDR: 'fd00::1',
  };

  it('has Services, whole objects and single values, later over earlier', async () => {
    const env = await of({
      envFrom: [{ configMapRef: { name: 'cfg' }, prefix: 'P_' }, { secretRef: { name: 'sec' } }],
      env: [
        { name: 'P_COLOR', value: '$(P_COLOR)dish' },
        { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
        { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } },
      ],
    });
    expect(env).toEqual({
      MY_DB_SERVICE_HOST: '10.96.0.7',
      MY_DB_SERVICE_PORT: '5432',
      MY_DB_SERVICE_PORT_SQL: '5432',
      MY_DB_PORT: 'tcp://10.96.0.7:5432',
      MY_DB_PORT_5432_TCP: 'tcp://10.96.0.7:5432',
      MY_DB_PORT_5432_TCP_PROTO: 'tcp',
      MY_DB_PORT_5432_TCP_PORT: '5432',
      MY_DB_PORT_5432_TCP_ADDR: '10.96.0.7',
      ...ofTheApi,
      P_COLOR: 'reddish',
      KEY: 'hidden',
      IP: '10.0.0.2',
      CPU: '1900',
    });
  });

  it.each<[Partial<Container>, string]>([
    [{ envFrom: [{ configMapRef: { name: 'none' } }] }, 'configmap "none" not found'],
    [{ envFrom: [{ secretRef: { name: 'none' } }] }, 'secret "none" not found'],
    [
      { env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'cfg', key: 'x' } } }] },
      "couldn't find key x in ConfigMap shop/cfg",
    ],
    [
      { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'sec', key: 'x' } } }] },
      "couldn't find key x in Secret shop/sec",
    ],
  ])('is refused for %j', async (container, message) => {
    await expect(of(container)).rejects.toThrow(message);
  });

  it('does without what is optional', async () => {
    const optional = { name: 'none', optional: true };
    const env = await of({
      envFrom: [{ configMapRef: optional }, { secretRef: optional }],
      env: [{ name: 'A', valueFrom: { secretKeyRef: { ...optional, key: 'x' } } }],
    });
    expect(Object.keys(env).filter((name) => !/^(MY_DB|KUBERNETES)_/.test(name))).toEqual([]);
  });

  it('knows the API server’s Service even where it is to know no other', async () => {
    expect(await of({}, { enableServiceLinks: false })).toEqual(ofTheApi);
  });
});

describe('a sandbox', () => {
  const dns = {
    attempt: 0,
    netnsPath: '/ns',
    podIp: '10.0.0.2',
    nodeName: 'node-1',
    clusterDns: '10.96.0.10',
    clusterDomain: 'cluster.local',
    hostResolvConf: '# c\nnameserver 1.1.1.1\nsearch a b\noptions ndots:2 rotate\n',
    hostHosts: '127.0.0.1 localhost\n',
  };

  it.each<[Partial<PodSpec>, string]>([
    [
      {},
      'nameserver 10.96.0.10\nsearch shop.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5\n',
    ],
    [{ dnsPolicy: 'Default' }, 'nameserver 1.1.1.1\nsearch a b\noptions ndots:2 rotate\n'],
    [{ hostNetwork: true }, 'nameserver 1.1.1.1\nsearch a b\noptions ndots:2 rotate\n'],
    [
      { dnsPolicy: 'None', dnsConfig: { nameservers: ['9.9.9.9'], searches: ['x'] } },
      'nameserver 9.9.9.9\nsearch x\n',
    ],
    [
      { dnsConfig: { options: [{ name: 'ndots', value: '1' }, { name: 'edns0' }] } },
      'nameserver 10.96.0.10\nsearch shop.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:1 edns0\n',
    ],
  ])('with %j resolves names by its own file', (spec, expected) => {
    expect(resolvConf(aPod(spec), dns)).toBe(expected);
  });

  const hostname = (spec: Partial<PodSpec>) => hostnameOf(aPod(spec), 'cluster.local');

  it('has the pod’s name, or a host name of its own', () => {
    expect(hostname({})).toBe('web');
    expect(hostname({ hostname: 'db-0' })).toBe('db-0');
    const made = sandboxConfigOf(aPod({ hostname: 'db-0', subdomain: 'db' }), dns);
    expect(made.hostname).toBe('db-0');
    expect(made.hosts).toContain('10.0.0.2\tdb-0.db.shop.svc.cluster.local\tdb-0\n');
    expect(sandboxConfigOf(aPod({ hostNetwork: true }), dns)).toMatchObject({
      hostname: 'node-1',
      hosts: '127.0.0.1 localhost\n',
    });
  });

  it('has its name in DNS as its host name where that is asked for and Linux takes it', () => {
    const full = { setHostnameAsFQDN: true, subdomain: 'db' };
    expect(hostname({ ...full, hostname: 'db-0' })).toBe('db-0.db.shop.svc.cluster.local');
    expect(hostname({ setHostnameAsFQDN: true })).toBe('web');
    expect(() => hostname({ ...full, hostname: 'd'.repeat(40) })).toThrow(
      /is too long \(64 characters is the max, 66 characters requested\)/,
    );
    const other = aPod({ subdomain: 'db', hostnameOverride: 'legacy.example.com' });
    expect(sandboxConfigOf(other, dns).hostname).toBe('legacy.example.com');
    expect(sandboxConfigOf(other, dns).hosts).toContain('10.0.0.2\tlegacy.example.com\n');
  });

  it('has settings of the kernel by the names that the kernel has for them', () => {
    const sysctls = [
      { name: 'kernel/shm_rmid_forced', value: '1' },
      { name: 'net/ipv4/conf/eth0.1/rp_filter', value: '0' },
      { name: 'net.ipv4.tcp_fin_timeout', value: '9' },
    ];
    expect(sandboxConfigOf(aPod({ securityContext: { sysctls } }), dns).sysctls).toEqual({
      'kernel.shm_rmid_forced': '1',
      'net.ipv4.conf.eth0/1.rp_filter': '0',
      'net.ipv4.tcp_fin_timeout': '9',
    });
  });

  it('has users of its own where its network gives them, and is refused where it does not', () => {
    const users = { hostId: 131_072, size: 65_536 };
    const own = aPod({ hostUsers: false, shareProcessNamespace: true });
    expect(sandboxConfigOf(own, { ...dns, users })).toMatchObject({
      userNamespace: users,
      shareProcessNamespace: true,
    });
    expect(() => sandboxConfigOf(own, dns)).toThrow('hostUsers');
    expect(sandboxConfigOf(aPod(), { ...dns, users })).not.toHaveProperty('userNamespace');
  });
});
