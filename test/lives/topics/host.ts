// What pods share with their host, and how they resolve names.
import { NODE_PATH_IN_IMAGE } from '../../../kubelet/images/node-base-layer.ts';
import { WEB_IMAGE } from '../../support/tiny-images.ts';
import { aPod, REAL, type Scenario, succeeded } from '../scenario.ts';

const once = { restartPolicy: 'Never' } as const;
const runs = (spec: object, script: string, more: object = {}) =>
  aPod({ ...once, ...spec }, { command: ['/bin/sh', '-c', script], ...more });

/** Asks an address, again and again until it answers, from the network of the host. */
const asks = (url: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'asker' },
  spec: {
    restartPolicy: 'OnFailure',
    hostNetwork: true,
    containers: [
      {
        name: 'main',
        image: WEB_IMAGE,
        env: [{ name: 'HOST', valueFrom: { fieldRef: { fieldPath: 'status.hostIP' } } }],
        command: [
          NODE_PATH_IN_IMAGE,
          '--eval',
          `const ask = () => fetch(${url}).then((answer) => answer.text()).then(
             console.log, () => setTimeout(ask, 100));
           ask();`,
        ],
      },
    ],
  },
});
const servesAt = (port: object) =>
  aPod({}, { image: WEB_IMAGE, ports: [{ name: 'http', containerPort: 8080, ...port }] });

/** The scenarios. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'a pod may have a port of its host, where others reach it',
    on: REAL,
    objects: [asks("'http://' + process.env.HOST + ':18080/'") as never],
    pod: servesAt({ hostPort: 18_080 }),
    steps: [{ pod: 'asker', log: '{"pod":"it"}' }],
  },
  {
    name: 'a pod may have a port of one address of its host',
    on: REAL,
    objects: [asks("'http://127.0.0.1:18081/'") as never],
    pod: servesAt({ hostPort: 18_081, hostIP: '127.0.0.1', protocol: 'TCP' }),
    steps: [{ pod: 'asker', log: '{"pod":"it"}' }],
  },
  {
    name: 'a pod in the network of its host has its addresses and its name',
    on: REAL,
    pod: runs({ hostNetwork: true }, 'cat /proc/net/dev > /dev/null; echo "$IP $HOST"', {
      env: [
        { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
        { name: 'HOST', valueFrom: { fieldRef: { fieldPath: 'status.hostIP' } } },
      ],
    }),
    steps: [{ until: succeeded }],
    logs: { main: [/^(\S+) \1$/] },
  },
  {
    name: 'a pod with the processes of its host sees them, and is not the first',
    on: REAL,
    pod: runs({ hostPID: true }, '[ "$$$$" != 1 ] && [ -e /proc/2 ] && echo seen'),
    steps: [{ until: succeeded }],
    logs: { main: ['seen'] },
  },
  {
    name: 'a pod with the queues of its host begins',
    on: REAL,
    pod: runs({ hostIPC: true }, 'echo begun'),
    steps: [{ until: succeeded }],
    logs: { main: ['begun'] },
  },
  {
    name: 'dnsPolicy ClusterFirst asks the DNS of the cluster, with its search domains',
    on: REAL,
    pod: runs({}, 'cat /etc/resolv.conf'),
    steps: [{ until: succeeded }],
    logs: {
      main: [
        /^(search host-\d+\.svc\.cluster\.local svc\.cluster\.local cluster\.local|nameserver 10\.)/,
        /nameserver|search/,
        /^options ndots:5/,
      ],
    },
  },
  {
    name: 'dnsPolicy None takes what dnsConfig says and nothing else',
    on: REAL,
    pod: runs(
      {
        dnsPolicy: 'None',
        dnsConfig: {
          nameservers: ['192.0.2.1'],
          searches: ['a.example'],
          options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }],
        },
      },
      'cat /etc/resolv.conf',
    ),
    steps: [
      {
        until: succeeded,
      },
      {
        check: async ({ log }) => {
          const lines = (await log('main')).filter((line) => line !== '').toSorted();
          const wanted = ['nameserver 192.0.2.1', 'options ndots:2 edns0', 'search a.example'];
          if (lines.join('\n') !== wanted.join('\n')) throw new Error(lines.join('\n'));
        },
        why: 'there is no other line',
      },
    ],
  },
  {
    name: 'dnsConfig adds to what the policy gives, and its options count',
    on: REAL,
    pod: runs(
      { dnsConfig: { searches: ['a.example'], options: [{ name: 'ndots', value: '1' }] } },
      'cat /etc/resolv.conf',
    ),
    steps: [
      { until: succeeded },
      {
        check: async ({ log }) => {
          const text = (await log('main')).join('\n');
          for (const wanted of [/cluster\.local a\.example$/m, /^options.*ndots:1/m])
            if (!wanted.test(text)) throw new Error(text);
          if (text.includes('ndots:5')) throw new Error(text);
        },
        why: 'both are there, and the option is the one of dnsConfig',
      },
    ],
  },
  {
    name: 'dnsPolicy Default has the name servers of the host and no domains of the cluster',
    on: REAL,
    pod: runs({ dnsPolicy: 'Default' }, 'cat /etc/resolv.conf; echo end'),
    steps: [
      { until: succeeded },
      {
        check: async ({ log }) => {
          const text = (await log('main')).join('\n');
          if (text.includes('cluster.local')) throw new Error(text);
        },
        why: 'nothing of the cluster is in it',
      },
    ],
  },
  {
    name: 'dnsPolicy ClusterFirstWithHostNet asks the cluster from the network of the host',
    on: REAL,
    pod: runs({ hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' }, 'cat /etc/resolv.conf'),
    steps: [
      { until: succeeded },
      {
        check: async ({ log }) => {
          const text = (await log('main')).join('\n');
          if (!text.includes('svc.cluster.local')) throw new Error(text);
        },
        why: 'the search domains are the cluster’s',
      },
    ],
  },
  {
    name: 'hostAliases are lines of /etc/hosts, beside the pod itself',
    on: REAL,
    pod: runs(
      { hostAliases: [{ ip: '192.0.2.7', hostnames: ['mast', 'mast.example'] }] },
      'cat /etc/hosts',
    ),
    steps: [{ until: succeeded }],
    logs: {
      main: [
        /^127\.0\.0\.1\s+localhost$/,
        /^\d+\.\d+\.\d+\.\d+\s+it$/,
        /^192\.0\.2\.7\s+mast\s+mast\.example$/,
      ],
    },
  },
];
