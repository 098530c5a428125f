// How containers begin: what is run, where, with which environment, under which name and as whom.
import { play, steady } from '../play.ts';
import {
  aContainer,
  aPod,
  both,
  configMap,
  container,
  ended,
  phase,
  ready,
  REAL,
  running,
  type Scenario,
  secret,
  succeeded,
} from '../scenario.ts';

const once = { restartPolicy: 'Never' } as const;
const shell = (script: string, more: object = {}) => ({
  command: ['/bin/sh', '-c', script],
  ...more,
});

/** The scenarios. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'command takes the place of the entrypoint, and args follow it',
    on: REAL,
    pod: aPod(once, { command: ['/bin/sh', '-c', 'echo "$0-$1-$#"'], args: ['a', 'b c'] }),
    steps: [{ until: succeeded }],
    logs: { main: ['a-b c-1'] },
  },
  {
    name: 'args alone are given to the entrypoint of the image',
    on: REAL,
    pod: aPod(once, { args: ['/bin/sh', '-c', 'echo by args'] }),
    steps: [{ until: succeeded }],
    logs: { main: ['by args'] },
  },
  {
    name: 'references to variables in command and args are expanded, and those to unknown ones stay',
    on: REAL,
    pod: aPod(once, {
      command: ['/bin/sh', '-c', 'echo "$0 $1 $2"'],
      args: ['$(COLOR)', '$(NOBODY)', '$$(COLOR)'],
      env: [{ name: 'COLOR', value: 'green' }],
    }),
    steps: [{ until: succeeded }],
    logs: { main: ['green $(NOBODY) $(COLOR)'] },
  },
  {
    name: 'a variable may refer to those before it',
    on: REAL,
    pod: aPod(
      once,
      shell('echo "$FULL"; echo "$LATER"', {
        env: [
          { name: 'FIRST', value: 'a' },
          { name: 'FULL', value: '$(FIRST)b' },
          { name: 'LATER', value: '$(NOT_YET)' },
          { name: 'NOT_YET', value: 'c' },
        ],
      }),
    ),
    steps: [{ until: succeeded }],
    logs: { main: ['ab', '$(NOT_YET)'] },
  },
  {
    name: 'variables come from ConfigMaps and Secrets, whole ones with a prefix',
    on: REAL,
    objects: [
      configMap('settings', { color: 'green', size: 'large' }),
      secret('keys', { word: 'hush' }),
    ],
    pod: aPod(
      once,
      shell('echo "$COLOR $WORD $P_size $word"', {
        envFrom: [
          { prefix: 'P_', configMapRef: { name: 'settings' } },
          { secretRef: { name: 'keys' } },
        ],
        env: [
          { name: 'COLOR', valueFrom: { configMapKeyRef: { name: 'settings', key: 'color' } } },
          { name: 'WORD', valueFrom: { secretKeyRef: { name: 'keys', key: 'word' } } },
        ],
      }),
    ),
    steps: [{ until: succeeded }],
    logs: { main: ['green hush large hush'] },
  },
  {
    name: 'env counts more than envFrom, and of two envFrom the later one',
    on: REAL,
    objects: [configMap('one', { A: '1', B: '1', C: '1' }), configMap('two', { B: '2', C: '2' })],
    pod: aPod(
      once,
      shell('echo "$A$B$C"', {
        envFrom: [{ configMapRef: { name: 'one' } }, { configMapRef: { name: 'two' } }],
        env: [{ name: 'C', value: '3' }],
      }),
    ),
    steps: [{ until: succeeded }],
    logs: { main: ['123'] },
  },
  {
    name: 'optional sources that are missing leave their variables out',
    on: REAL,
    objects: [configMap('there', { a: '1' })],
    pod: aPod(
      once,
      shell('echo "[$NONE$KEY$WORD]"', {
        envFrom: [
          { configMapRef: { name: 'nowhere', optional: true } },
          { secretRef: { name: 'nowhere', optional: true } },
        ],
        env: [
          {
            name: 'NONE',
            valueFrom: { configMapKeyRef: { name: 'no', key: 'a', optional: true } },
          },
          {
            name: 'KEY',
            valueFrom: { configMapKeyRef: { name: 'there', key: 'no', optional: true } },
          },
          { name: 'WORD', valueFrom: { secretKeyRef: { name: 'no', key: 'a', optional: true } } },
        ],
      }),
    ),
    steps: [{ until: succeeded }],
    logs: { main: ['[]'] },
  },
  {
    name: 'variables tell the pod of itself, by fields',
    on: REAL,
    pod: aPod(
      { ...once, serviceAccountName: 'default' },
      shell('echo "$NAME $NAMESPACE $ACCOUNT $LABEL $NOTE"; echo "$NODE/$IP/$HOST/$IPS/$UID_"', {
        env: [
          ['NAME', 'metadata.name'],
          ['NAMESPACE', 'metadata.namespace'],
          ['UID_', 'metadata.uid'],
          ['LABEL', "metadata.labels['color']"],
          ['NOTE', "metadata.annotations['note']"],
          ['NODE', 'spec.nodeName'],
          ['ACCOUNT', 'spec.serviceAccountName'],
          ['IP', 'status.podIP'],
          ['IPS', 'status.podIPs'],
          ['HOST', 'status.hostIP'],
        ].map(([name, fieldPath]) => ({ name, valueFrom: { fieldRef: { fieldPath } } })),
      }),
      { labels: { color: 'green' }, annotations: { note: 'well' } },
    ),
    steps: [{ until: succeeded }],
    logs: {
      main: [
        /^it starts-\d+ default green well$/,
        /^[\w.-]+\/\d+\.\d+\.\d+\.\d+\/\d+\.\d+\.\d+\.\d+\/\d+\.\d+\.\d+\.\d+\/[0-9a-f-]{36}$/,
      ],
    },
  },
  {
    name: 'variables tell a container what it may use, by its divisor, and of the node where it has no limit',
    on: REAL,
    pod: aPod(
      once,
      shell('echo "$CPU $MILLIS $MEMORY $MEBI"; [ "$FREE" -gt 100 ] && echo "as the node"', {
        resources: {
          requests: { cpu: '250m', memory: '16Mi' },
          limits: { cpu: '1500m', memory: '32Mi' },
        },
        env: [
          ['CPU', 'limits.cpu', '1'],
          ['MILLIS', 'requests.cpu', '1m'],
          ['MEMORY', 'limits.memory', '1'],
          ['MEBI', 'requests.memory', '1Mi'],
          ['FREE', 'limits.ephemeral-storage', '1Mi'],
        ].map(([name, resource, divisor]) => ({
          name,
          valueFrom: { resourceFieldRef: { resource, divisor } },
        })),
      }),
    ),
    steps: [{ until: succeeded }],
    logs: { main: ['2 250 33554432 16', 'as the node'] },
  },
  {
    name: 'Services of the namespace are told by variables, unless the pod wants none',
    on: REAL,
    objects: [
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'my-shop' },
        spec: { ports: [{ name: 'http', port: 80 }], selector: { app: 'none' } },
      } as never,
    ],
    pod: aPod(
      { ...once, initContainers: [aContainer('first')] },
      shell('echo "$MY_SHOP_SERVICE_PORT $MY_SHOP_SERVICE_PORT_HTTP $MY_SHOP_PORT"'),
    ),
    plays: { first: play() },
    steps: [{ until: succeeded }],
    logs: { main: [/^80 80 tcp:\/\/\d+\.\d+\.\d+\.\d+:80$/] },
  },
  {
    name: 'with enableServiceLinks false only the API server is told of',
    on: REAL,
    objects: [
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'shop' },
        spec: { ports: [{ port: 80 }] },
      } as never,
    ],
    pod: aPod(
      { ...once, enableServiceLinks: false },
      shell('echo "[$SHOP_SERVICE_PORT]"; [ -n "$KUBERNETES_SERVICE_HOST" ] && echo api'),
    ),
    steps: [{ until: succeeded }],
    logs: { main: ['[]', 'api'] },
  },
  {
    name: 'workingDir is where the program begins, and made where it is not there',
    on: REAL,
    pod: aPod(once, shell('echo "$PWD"', { workingDir: '/deep/inside' })),
    steps: [{ until: succeeded }],
    logs: { main: ['/deep/inside'] },
  },
  {
    name: 'a program has the hostname of its pod, in its environment too',
    on: REAL,
    pod: aPod(once, shell('echo "$HOSTNAME"; cat /etc/hostname')),
    steps: [{ until: succeeded }],
    logs: { main: ['it', 'it'] },
  },
  {
    name: 'hostname and subdomain name the pod, in /etc/hosts as well',
    on: REAL,
    pod: aPod(
      { ...once, hostname: 'mast', subdomain: 'ship' },
      shell('cat /etc/hostname; cat /etc/hosts'),
    ),
    steps: [{ until: succeeded }],
    logs: {
      main: ['mast', /^\d+\.\d+\.\d+\.\d+\s+mast\.ship\.starts-\d+\.svc\.cluster\.local\s+mast$/],
    },
  },
  {
    name: 'setHostnameAsFQDN makes the whole name the hostname',
    on: REAL,
    pod: aPod(
      { ...once, hostname: 'mast', subdomain: 'ship', setHostnameAsFQDN: true },
      shell('cat /proc/sys/kernel/hostname'),
    ),
    steps: [{ until: succeeded }],
    logs: { main: [/^mast\.ship\.starts-\d+\.svc\.cluster\.local$/] },
  },
  {
    name: 'standard input and a terminal are there where they are asked for',
    on: REAL,
    pod: aPod({
      ...once,
      containers: [aContainer('main'), aContainer('tty', { tty: true, stdin: true })],
    }),
    plays: {
      main: play({ sh: 'if [ -t 0 ]; then echo terminal; else echo none; fi' }),
      tty: play({ sh: 'if [ -t 0 ]; then echo terminal; else echo none; fi' }),
    },
    steps: [{ until: succeeded }],
    logs: { main: ['none'], tty: [/^terminal\r?$/] },
  },
  {
    name: 'without stdin a program reads the end of its input at once',
    on: REAL,
    pod: aPod(once, shell('cat; echo over')),
    steps: [{ until: succeeded }],
    logs: { main: ['over'] },
  },
  {
    name: 'containers of one pod begin side by side and share their loopback and names',
    on: REAL,
    pod: aPod({ ...once, containers: [aContainer('main'), aContainer('other')] }),
    plays: {
      main: play({ sh: 'cat /proc/net/fib_trie > /dev/null; cat /etc/hostname' }),
      other: play({ sh: 'cat /etc/hostname' }),
    },
    steps: [{ until: succeeded }],
    logs: { main: ['it'], other: ['it'] },
  },
  {
    name: 'a status tells the image, its id, the container and since when it runs',
    pod: aPod(),
    plays: { main: steady },
    steps: [
      {
        until: both(
          ready,
          container('main', {
            image: /shell:1$/,
            imageID: /./,
            containerID: /:\/\/./,
            started: true,
            ready: true,
            restartCount: 0,
            state: { running: { startedAt: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/ } },
          }),
        ),
      },
    ],
    statuses: [
      both(phase('Pending'), container('main', { ready: false, started: false, restartCount: 0 })),
      both(phase('Running'), container('main', running)),
    ],
  },
  {
    name: 'a pod is told its addresses and those of its node',
    pod: aPod(),
    plays: { main: steady },
    steps: [
      {
        until: both(ready, {
          podIP: /^\d+\.\d+\.\d+\.\d+$/,
          podIPs: [{ ip: /^\d+\.\d+\.\d+\.\d+$/ }],
          hostIP: /^\d+\.\d+\.\d+\.\d+$/,
          hostIPs: [{ ip: /^\d+\.\d+\.\d+\.\d+$/ }],
          startTime: /Z$/,
        }),
      },
    ],
  },
  {
    name: 'a long log comes whole, and both outputs are in it',
    pod: aPod(once),
    plays: {
      main: play({ says: 'one' }, { complains: 'two' }, { sleeps: 0.2 }, { says: 'three' }),
    },
    steps: [{ log: 'three' }, { until: both(succeeded, container('main', ended(0))) }],
    logs: { main: ['one', 'three'] },
  },
];
