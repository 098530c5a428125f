// What the containers of a pod share, and what they have of their own: users, processes, names, terminals, profiles.
import { steady } from '../play.ts';
import {
  aContainer,
  aPod,
  both,
  configMap,
  container,
  ended,
  REAL,
  ready,
  running,
  type Scenario,
  succeeded,
  waiting,
} from '../scenario.ts';

const once = { restartPolicy: 'Never' } as const;
const script = (text: string) => ({ command: ['/bin/sh', '-c', text] });
const HOSTNAME = 'cat /proc/sys/kernel/hostname';

/** The scenarios. containerd gives pods users of their own from 2.0 on, so that one which is older runs none of those. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'with hostUsers false, root of a pod is another user of its host',
    on: ['embedded'],
    pod: aPod({ ...once, hostUsers: false }, script('id -u; cat /proc/self/uid_map')),
    steps: [{ until: both(succeeded, container('main', ended(0))) }],
    logs: { main: ['0', /^\s+0\s+\d{5,10}\s+65536$/] },
  },
  {
    name: 'with hostUsers false, volumes belong to the pod as they would without',
    on: ['embedded'],
    objects: [configMap('files', { greeting: 'hello' })],
    pod: aPod({
      ...once,
      hostUsers: false,
      securityContext: { fsGroup: 777 },
      volumes: [
        { name: 'files', configMap: { name: 'files', defaultMode: 0o400 } },
        { name: 'scratch', emptyDir: {} },
        { name: 'memory', emptyDir: { medium: 'Memory' } },
      ],
      containers: [
        aContainer('main', {
          ...script(
            'cat /files/greeting; echo; echo x > /scratch/a; echo y > /memory/b; ls -ln /scratch/a /memory/b',
          ),
          volumeMounts: [
            { name: 'files', mountPath: '/files' },
            { name: 'scratch', mountPath: '/scratch' },
            { name: 'memory', mountPath: '/memory' },
          ],
        }),
      ],
    }),
    steps: [{ until: both(succeeded, container('main', ended(0))) }],
    logs: { main: ['hello', /^\S+ +1 0 777 .*\/memory\/b$/, /^\S+ +1 0 777 .*\/scratch\/a$/] },
  },
  {
    name: 'a pod with users and processes of its own runs on without its agent',
    on: ['embedded'],
    alone: true,
    pod: aPod({ hostUsers: false, shareProcessNamespace: true }),
    plays: { main: steady },
    steps: [
      { until: both(ready, container('main', running)) },
      { exec: ['/bin/sh', '-c', 'cat /proc/1/cmdline; echo; id -u'], stdout: /^\/pause\0?\n0\n$/ },
      { restartAgent: true },
      { kill: 'main' },
      { until: container('main', { restartCount: 1, ...running }) },
      { exec: ['/bin/sh', '-c', 'cat /proc/1/cmdline; cat /proc/self/uid_map'], stdout: /65536/ },
      { delete: true },
      { gone: true },
    ],
  },
  {
    name: 'in shared processes, what a container leaves behind ends with it',
    on: REAL,
    pod: aPod({
      ...once,
      shareProcessNamespace: true,
      containers: [
        aContainer('main', script('sleep 4242 & sleep 0.3; exit 0')),
        aContainer(
          'witness',
          script(
            // The pattern is no match of itself, as the commands that are read have it among them.
            'left() { cat /proc/[0-9]*/cmdline 2>/dev/null | { read -r all; case "$all" in *424[2]*) true ;; *) false ;; esac; }; }; while left; do sleep 0.1; done; echo alone',
          ),
        ),
      ],
    }),
    steps: [{ until: succeeded }],
    logs: { witness: ['alone'] },
  },
  {
    name: 'setHostnameAsFQDN makes the name in DNS the host name',
    on: REAL,
    pod: aPod(
      { ...once, hostname: 'db-0', subdomain: 'db', setHostnameAsFQDN: true },
      script(HOSTNAME),
    ),
    steps: [{ until: succeeded }],
    logs: { main: [/^db-0\.db\.[a-z0-9-]+\.svc\.cluster\.local$/] },
  },
  {
    name: 'a name in DNS that is too long for a host name is told, and the pod waits',
    pod: aPod({
      hostname: 'a-name-that-is-rather-long-for-a-host-but-none-the-less-one',
      subdomain: 'db',
      setHostnameAsFQDN: true,
    }),
    steps: [
      {
        event: {
          type: 'Warning',
          reason: 'FailedCreatePodSandBox',
          message: /is too long \(64 characters is the max, \d+ characters requested\)/,
        },
      },
      { until: container('main', waiting('ContainerCreating')) },
    ],
    never: [ready],
  },
  {
    name: 'a seccomp profile that the node lacks is named',
    on: REAL,
    pod: aPod(
      {},
      {
        securityContext: {
          seccompProfile: { type: 'Localhost', localhostProfile: 'team/none.json' },
        },
      },
    ),
    plays: { main: steady },
    steps: [
      {
        until: container(
          'main',
          waiting(
            'CreateContainerError',
            /cannot load seccomp profile ".*\/team\/none\.json": .*no such file/,
          ),
        ),
      },
    ],
    events: [{ type: 'Warning', reason: 'Failed', message: /cannot load seccomp profile/ }],
    never: [ready],
  },
  {
    name: 'a container with a tty has a terminal, and one without has none',
    on: REAL,
    pod: aPod({
      ...once,
      containers: [
        aContainer('main', { ...script('[ -t 1 ] && echo terminal'), tty: true }),
        aContainer('plain', script('[ -t 1 ] || echo none')),
      ],
    }),
    steps: [{ until: succeeded }],
    logs: { main: [/^terminal\r?$/], plain: ['none'] },
  },
  {
    name: 'every user of a pod may open a low port, and its own settings count more',
    on: REAL,
    pod: aPod(
      {
        ...once,
        securityContext: {
          runAsUser: 1000,
          sysctls: [{ name: 'net.ipv4.ping_group_range', value: '5 6' }],
        },
      },
      script(
        'cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/net/ipv4/ping_group_range',
      ),
    ),
    steps: [{ until: succeeded }],
    logs: { main: [/^(0|1024)$/, /^5\s+6$/] },
  },
];
