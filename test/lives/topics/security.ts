// Who containers run as, and what they may do.
import { play } from '../play.ts';
import {
  aContainer,
  aPod,
  both,
  container,
  ended,
  REAL,
  type Scenario,
  succeeded,
} from '../scenario.ts';

const once = { restartPolicy: 'Never' } as const;
/** A pod whose container runs the script once, under a security context. */
const under = (securityContext: object, script: string, spec: object = {}) =>
  aPod({ ...once, ...spec }, { securityContext, command: ['/bin/sh', '-c', script] });
const status = (field: string) =>
  `while read -r k v; do [ "$k" = ${field}: ] && echo "$v"; done < /proc/self/status; :`;

/** The scenarios. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'a program runs as the user and groups that are asked for, as its status tells',
    on: REAL,
    pod: under({}, 'id', {
      securityContext: { runAsUser: 1234, runAsGroup: 5678, supplementalGroups: [70, 71] },
    }),
    steps: [
      {
        until: both(
          succeeded,
          container('main', {
            user: { linux: { uid: 1234, gid: 5678 } },
            ...ended(0),
          }),
        ),
      },
    ],
    logs: { main: [/^uid=1234.* gid=5678.* groups=.*70.*71/] },
  },
  {
    name: 'a container may say another user than its pod',
    on: REAL,
    pod: under({ runAsUser: 1, runAsGroup: 4 }, 'id -u; id -g', {
      securityContext: { runAsUser: 2, runAsGroup: 3 },
    }),
    steps: [{ until: succeeded }],
    logs: { main: ['1', '4'] },
  },
  {
    name: 'runAsNonRoot is content with a user of its own',
    on: REAL,
    pod: under({ runAsUser: 1000 }, 'id -u', { securityContext: { runAsNonRoot: true } }),
    steps: [{ until: succeeded }],
    logs: { main: ['1000'] },
  },
  {
    name: 'supplementalGroupsPolicy Strict keeps the groups of the image away',
    on: REAL,
    pod: under({}, 'id', {
      securityContext: {
        runAsUser: 1000,
        runAsGroup: 1000,
        supplementalGroups: [80],
        supplementalGroupsPolicy: 'Strict',
      },
    }),
    steps: [{ until: succeeded }],
    logs: { main: [/^uid=1000.* gid=1000.* groups=[^ ]*80/] },
  },
  {
    name: 'capabilities are those that runtimes give, with what is added and without what is dropped',
    on: REAL,
    pod: aPod({
      ...once,
      containers: [
        aContainer('main', {
          securityContext: { capabilities: { drop: ['ALL'] } },
          command: ['/bin/sh', '-c', status('CapEff')],
        }),
        aContainer('added', {
          securityContext: { capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] } },
          command: ['/bin/sh', '-c', status('CapEff')],
        }),
        aContainer('usual', { command: ['/bin/sh', '-c', status('CapEff')] }),
      ],
    }),
    steps: [{ until: succeeded }],
    logs: {
      main: ['0000000000000000'],
      added: ['0000000000000400'],
      usual: ['00000000a80425fb'],
    },
  },
  {
    name: 'a program of another user than root has no capabilities in effect',
    on: REAL,
    pod: under({ runAsUser: 1000 }, status('CapEff')),
    steps: [{ until: succeeded }],
    logs: { main: ['0000000000000000'] },
  },
  {
    name: 'without allowPrivilegeEscalation a program gains nothing by setuid',
    on: REAL,
    pod: under({ allowPrivilegeEscalation: false, runAsUser: 1000 }, status('NoNewPrivs')),
    steps: [{ until: succeeded }],
    logs: { main: ['1'] },
  },
  {
    name: 'a root file system may be read-only, while volumes are not',
    on: REAL,
    pod: aPod(
      { ...once, volumes: [{ name: 'v', emptyDir: {} }] },
      {
        securityContext: { readOnlyRootFilesystem: true },
        volumeMounts: [{ name: 'v', mountPath: '/v' }],
        command: [
          '/bin/sh',
          '-c',
          '(echo x > /x) 2>/dev/null || echo refused; echo y > /v/y; cat /v/y',
        ],
      },
    ),
    steps: [{ until: succeeded }],
    logs: { main: ['refused', 'y'] },
  },
  {
    name: 'a privileged container has the devices of the host and all that its host may do',
    on: REAL,
    pod: under(
      { privileged: true },
      '[ -e /dev/loop-control ] && echo devices; touch /sys/x 2>&1 | cat; echo done',
    ),
    steps: [{ until: succeeded }],
    logs: { main: ['devices', 'done'] },
  },
  {
    name: 'what of /proc tells of the host is hidden',
    on: REAL,
    pod: under(
      { procMount: 'Default' },
      '(echo x > /proc/sys/kernel/panic) 2>/dev/null || echo refused',
    ),
    steps: [{ until: succeeded }],
    logs: { main: ['refused'] },
  },
  {
    name: 'seccomp RuntimeDefault filters system calls, and Unconfined does not',
    on: REAL,
    pod: aPod({
      ...once,
      securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        aContainer('main', { command: ['/bin/sh', '-c', status('Seccomp')] }),
        aContainer('free', {
          securityContext: { seccompProfile: { type: 'Unconfined' } },
          command: ['/bin/sh', '-c', status('Seccomp')],
        }),
      ],
    }),
    steps: [{ until: succeeded }],
    logs: { main: ['2'], free: ['0'] },
  },
  {
    name: 'sysctls of the pod are set in it',
    on: REAL,
    pod: under({}, 'cat /proc/sys/net/ipv4/ip_local_port_range', {
      securityContext: {
        sysctls: [{ name: 'net.ipv4.ip_local_port_range', value: '20000 30000' }],
      },
    }),
    steps: [{ until: succeeded }],
    logs: { main: [/^20000\s+30000$/] },
  },
  {
    name: 'a program has its own processes only, and is the first of them',
    on: REAL,
    pod: under({}, 'echo "I am $$$$"; ls /proc'),
    steps: [{ until: succeeded }],
    logs: { main: ['I am 1', '1'] },
  },
  {
    name: 'containers that share their processes see each other',
    on: REAL,
    pod: aPod({
      ...once,
      shareProcessNamespace: true,
      containers: [aContainer('main'), aContainer('other')],
    }),
    plays: {
      main: play({ sh: '[ "$$$$" != 1 ] && [ -e /proc/1/cmdline ] && echo shared' }),
      other: play(),
    },
    steps: [{ until: succeeded }],
    logs: { main: ['shared'] },
  },
];
