// Volumes as programs see them: what is in them, who may write, and how they change under a running container.
import { play, steady } from '../play.ts';
import {
  aContainer,
  aPod,
  both,
  configMap,
  container,
  ended,
  failed,
  HOST_FOLDER,
  ready,
  REAL,
  type Scenario,
  secret,
  succeeded,
} from '../scenario.ts';

const once = { restartPolicy: 'Never' } as const;
const at = (mountPath: string, more: object = {}) => ({ name: 'v', mountPath, ...more });
/** A pod with one volume `v`, mounted at /v, whose container runs a script once. */
const aPodWith = (volume: object, script: string, { mount = {}, spec = {} } = {}) =>
  aPod(
    { ...once, volumes: [{ name: 'v', ...volume }], ...spec },
    { command: ['/bin/sh', '-c', script], volumeMounts: [at('/v', mount)] },
  );
/** Runs on until the file at the path holds the text, then says so. */
const awaits = (path: string, text: string) =>
  `while [ "$(cat ${path})" != "${text}" ]; do sleep 0.1; done; echo seen`;

/** The scenarios. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'a ConfigMap is a file for each key, with the mode of the volume',
    on: REAL,
    objects: [configMap('files', { a: 'one', b: 'two' })],
    pod: aPodWith(
      { configMap: { name: 'files', defaultMode: 0o440 } },
      'cat /v/a /v/b; echo; ls -lL /v | cat',
    ),
    steps: [{ until: succeeded }],
    logs: { main: ['onetwo', /^-r--r-----.* a$/, /^-r--r-----.* b$/] },
  },
  {
    name: 'items of a ConfigMap choose keys, paths and modes',
    on: REAL,
    objects: [configMap('files', { a: 'one', b: 'two' })],
    pod: aPodWith(
      { configMap: { name: 'files', items: [{ key: 'a', path: 'deep/er', mode: 0o400 }] } },
      'cat /v/deep/er; echo; ls /v; ls -lL /v/deep | cat',
    ),
    steps: [{ until: succeeded }],
    logs: { main: ['one', 'deep', /^-r--------.* er$/] },
  },
  {
    name: 'binary data of a ConfigMap comes as it is',
    on: REAL,
    objects: [
      {
        ...configMap('files', {}),
        binaryData: { raw: Buffer.from([104, 105, 10]).toString('base64') },
      } as never,
    ],
    pod: aPodWith({ configMap: { name: 'files' } }, 'cat /v/raw'),
    steps: [{ until: succeeded }],
    logs: { main: ['hi'] },
  },
  {
    name: 'a ConfigMap that changes changes under the running container',
    on: REAL,
    objects: [configMap('files', { word: 'old' })],
    pod: aPod(
      { volumes: [{ name: 'v', configMap: { name: 'files' } }] },
      { volumeMounts: [at('/v')], command: ['/bin/sh', '-c', awaits('/v/word', 'new')] },
    ),
    steps: [
      { until: ready },
      { exec: ['cat', '/v/word'], stdout: 'old' },
      { apply: configMap('files', { word: 'new' }) },
      { log: 'seen' },
    ],
  },
  {
    name: 'a key that is taken from a ConfigMap is gone from the volume',
    on: REAL,
    objects: [configMap('files', { stays: '1', goes: '1' })],
    pod: aPod(
      { volumes: [{ name: 'v', configMap: { name: 'files' } }] },
      {
        volumeMounts: [at('/v')],
        command: [
          '/bin/sh',
          '-c',
          'while [ -e /v/goes ]; do sleep 0.1; done; cat /v/stays; echo; sleep 100',
        ],
      },
    ),
    steps: [{ until: ready }, { apply: configMap('files', { stays: '1' }) }, { log: '1' }],
  },
  {
    name: 'a Secret is in memory, and readable for its user alone where its mode says so',
    on: REAL,
    objects: [secret('keys', { word: 'hush' })],
    pod: aPodWith(
      { secret: { secretName: 'keys', defaultMode: 0o400 } },
      'cat /v/word; echo; ls -lL /v | cat; cat /proc/mounts',
    ),
    steps: [{ until: succeeded }],
    logs: { main: ['hush', /^-r--------.* word$/, /^tmpfs \/v tmpfs /] },
  },
  {
    name: 'a Secret that changes changes under the running container',
    on: REAL,
    objects: [secret('keys', { word: 'old' })],
    pod: aPod(
      {
        volumes: [
          { name: 'v', secret: { secretName: 'keys', items: [{ key: 'word', path: 'word' }] } },
        ],
      },
      { volumeMounts: [at('/v')], command: ['/bin/sh', '-c', awaits('/v/word', 'new')] },
    ),
    steps: [{ until: ready }, { apply: secret('keys', { word: 'new' }) }, { log: 'seen' }],
  },
  {
    name: 'optional sources that are missing are empty directories, and filled once they are there',
    on: REAL,
    pod: aPod(
      {
        volumes: [
          { name: 'v', configMap: { name: 'later', optional: true } },
          { name: 'w', secret: { secretName: 'never', optional: true } },
        ],
      },
      {
        volumeMounts: [at('/v'), { name: 'w', mountPath: '/w' }],
        command: [
          '/bin/sh',
          '-c',
          'ls /v /w; while [ ! -e /v/a ]; do sleep 0.1; done; echo seen; sleep 100',
        ],
      },
    ),
    steps: [{ until: ready }, { apply: configMap('later', { a: '1' }) }, { log: 'seen' }],
  },
  {
    name: 'configuration cannot be written to',
    on: REAL,
    objects: [configMap('files', { a: '1' })],
    pod: aPodWith({ configMap: { name: 'files' } }, '(echo x > /v/a) 2>/dev/null || echo refused'),
    steps: [{ until: succeeded }],
    logs: { main: ['refused'] },
  },
  {
    name: 'an emptyDir is shared by the containers of its pod, and outlives each of them',
    on: REAL,
    pod: aPod({
      volumes: [{ name: 'v', emptyDir: {} }],
      containers: [
        aContainer('main', { volumeMounts: [at('/v')] }),
        aContainer('other', { volumeMounts: [at('/w')] }),
      ],
    }),
    plays: {
      main: { first: play({ touches: '/v/mine' }, { exits: 1 }), later: steady },
      other: steady,
    },
    steps: [
      { until: both(ready, container('main', { restartCount: 1 })) },
      { exec: ['cat', '/v/mine'], of: 'main' },
      { exec: ['cat', '/w/mine'], of: 'other' },
    ],
  },
  {
    name: 'an emptyDir of memory is one, of the size that it may have',
    on: REAL,
    pod: aPodWith(
      { emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
      'cat /proc/mounts; dd if=/dev/zero of=/v/big bs=1024 count=4096 2>/dev/null || echo full',
    ),
    steps: [{ until: succeeded }],
    logs: { main: [/^tmpfs \/v tmpfs .*size=1024k/, 'full'] },
  },
  {
    name: 'an emptyDir on the disk may be written by anybody',
    on: REAL,
    pod: aPodWith({ emptyDir: {} }, 'echo hello > /v/a && cat /v/a', {
      spec: { securityContext: { runAsUser: 1234 } },
    }),
    steps: [{ until: succeeded }],
    logs: { main: ['hello'] },
  },
  {
    name: 'a volume may be mounted read-only',
    on: REAL,
    pod: aPodWith({ emptyDir: {} }, '(echo x > /v/a) 2>/dev/null || echo refused', {
      mount: { readOnly: true },
    }),
    steps: [{ until: succeeded }],
    statuses: [
      container('main', { volumeMounts: [{ name: 'v', mountPath: '/v', readOnly: true }] }),
    ],
    logs: { main: ['refused'] },
  },
  {
    name: 'a read-only mount may be read-only all the way down',
    on: REAL,
    pod: aPodWith({ emptyDir: {} }, '(echo x > /v/a) 2>/dev/null || echo refused', {
      mount: { readOnly: true, recursiveReadOnly: 'IfPossible' },
    }),
    steps: [{ until: succeeded }],
    logs: { main: ['refused'] },
  },
  {
    name: 'a hostPath of type DirectoryOrCreate is made, and what is written is on the host',
    on: REAL,
    pod: aPodWith(
      { hostPath: { path: `${HOST_FOLDER}/made/deep`, type: 'DirectoryOrCreate' } },
      'echo host > /v/a; cat /v/a; rm -r /v/a',
      { mount: { mountPropagation: 'None' } },
    ),
    steps: [{ until: succeeded }],
    logs: { main: ['host'] },
  },
  {
    name: 'a hostPath of type FileOrCreate is an empty file',
    on: REAL,
    pod: aPodWith(
      { hostPath: { path: `${HOST_FOLDER}/file`, type: 'FileOrCreate' } },
      '[ -f /v ] && cat /v && echo file',
    ),
    steps: [{ until: succeeded }],
    logs: { main: ['file'] },
  },
  {
    name: 'a hostPath of type CharDevice is a device',
    on: REAL,
    pod: aPodWith(
      { hostPath: { path: '/dev/null', type: 'CharDevice' } },
      '[ -c /v ] && echo device',
    ),
    steps: [{ until: succeeded }],
    logs: { main: ['device'] },
  },
  {
    name: 'the downward API tells the pod of itself by files',
    on: REAL,
    pod: aPod(
      {
        ...once,
        volumes: [
          {
            name: 'v',
            downwardAPI: {
              defaultMode: 0o444,
              items: [
                { path: 'name', fieldRef: { fieldPath: 'metadata.name' } },
                { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } },
                {
                  path: 'note',
                  fieldRef: { fieldPath: "metadata.annotations['note']" },
                  mode: 0o400,
                },
                {
                  path: 'memory',
                  resourceFieldRef: {
                    containerName: 'main',
                    resource: 'limits.memory',
                    divisor: '1Mi',
                  },
                },
              ],
            },
          },
        ],
      },
      {
        volumeMounts: [at('/v')],
        resources: { limits: { memory: '32Mi' } },
        command: ['/bin/sh', '-c', 'for f in name labels note memory; do cat /v/$f; echo; done'],
      },
      { labels: { color: 'green', size: 'large' }, annotations: { note: 'well' } },
    ),
    steps: [{ until: succeeded }],
    logs: { main: ['it', 'color="green"', 'size="large"', 'well', '32'] },
  },
  {
    name: 'a label that changes changes in the files of the downward API',
    on: REAL,
    pod: aPod(
      {
        volumes: [
          {
            name: 'v',
            downwardAPI: {
              items: [{ path: 'color', fieldRef: { fieldPath: "metadata.labels['color']" } }],
            },
          },
        ],
      },
      { volumeMounts: [at('/v')], command: ['/bin/sh', '-c', awaits('/v/color', 'red')] },
      { labels: { color: 'green' } },
    ),
    steps: [
      { until: ready },
      { patch: { metadata: { labels: { color: 'red' } } } },
      { log: 'seen' },
    ],
  },
  {
    name: 'a projected volume joins sources into one directory',
    on: REAL,
    objects: [configMap('files', { a: 'from the map' }), secret('keys', { b: 'from the secret' })],
    pod: aPodWith(
      {
        projected: {
          defaultMode: 0o444,
          sources: [
            { configMap: { name: 'files', items: [{ key: 'a', path: 'x/a' }] } },
            { secret: { name: 'keys', items: [{ key: 'b', path: 'b' }], optional: false } },
            { configMap: { name: 'nowhere', optional: true } },
            {
              downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] },
            },
            { serviceAccountToken: { path: 'token', expirationSeconds: 600, audience: 'vault' } },
          ],
        },
      },
      'cat /v/x/a /v/b /v/name; echo; cat /v/token | dd bs=1 count=2 2>/dev/null',
    ),
    steps: [{ until: succeeded }],
    logs: { main: ['from the mapfrom the secretit', 'ey'] },
  },
  {
    name: 'a pod has a token of its account, the authority of the API server and its namespace',
    on: REAL,
    pod: aPod(once, {
      command: [
        '/bin/sh',
        '-c',
        'cd /var/run/secrets/kubernetes.io/serviceaccount; cat namespace; echo; cat ca.crt; cat token',
      ],
    }),
    steps: [{ until: succeeded }],
    logs: { main: [/^volumes-\d+$/, '-----BEGIN CERTIFICATE-----', /^ey/] },
  },
  {
    name: 'a pod that wants no token has none',
    on: REAL,
    pod: aPod(
      { ...once, automountServiceAccountToken: false },
      {
        command: ['/bin/sh', '-c', 'ls /var/run/secrets 2>/dev/null || echo none'],
      },
    ),
    steps: [{ until: succeeded }],
    logs: { main: ['none'] },
  },
  {
    name: 'subPath mounts a part of a volume, which may be a single file',
    on: REAL,
    objects: [configMap('files', { conf: 'settings', other: 'x' })],
    pod: aPod(
      {
        ...once,
        volumes: [
          { name: 'v', configMap: { name: 'files' } },
          { name: 'w', emptyDir: {} },
        ],
      },
      {
        volumeMounts: [
          { name: 'v', mountPath: '/etc/app.conf', subPath: 'conf' },
          { name: 'w', mountPath: '/logs', subPath: 'made/here' },
        ],
        command: ['/bin/sh', '-c', 'cat /etc/app.conf; echo; echo l > /logs/l; ls /logs'],
      },
    ),
    steps: [{ until: succeeded }],
    logs: { main: ['settings', 'l'] },
  },
  {
    name: 'subPathExpr names its part by variables',
    on: REAL,
    pod: aPod({
      volumes: [{ name: 'w', emptyDir: {} }],
      containers: [
        aContainer('main', {
          env: [{ name: 'ME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
          volumeMounts: [{ name: 'w', mountPath: '/mine', subPathExpr: 'of-$(ME)' }],
        }),
        aContainer('other', { volumeMounts: [{ name: 'w', mountPath: '/all' }] }),
      ],
    }),
    plays: { main: play({ touches: '/mine/note' }, { runs: true }), other: steady },
    steps: [{ until: ready }, { exec: ['cat', '/all/of-it/note'], of: 'other' }],
  },
  {
    name: 'fsGroup owns what is written, and the container belongs to it',
    on: REAL,
    pod: aPodWith({ emptyDir: {} }, 'touch /v/a; ls -ln /v | cat; id', {
      spec: {
        securityContext: {
          runAsUser: 1234,
          runAsGroup: 5678,
          fsGroup: 4321,
          fsGroupChangePolicy: 'Always',
        },
      },
    }),
    steps: [{ until: succeeded }],
    logs: { main: [/ 1234\s+4321 .* a$/, /gid=5678.*groups=.*4321/] },
  },
  {
    name: 'a pod that fails leaves nothing of its emptyDir to the next one of its name',
    on: REAL,
    pod: aPodWith({ emptyDir: {} }, '[ -e /v/a ] && exit 0; touch /v/a; exit 3'),
    steps: [{ until: both(failed, container('main', ended(3))) }, { delete: true }, { gone: true }],
  },
];
