// What volumes are like that pods may set little about: who owns them, how large they become, and what is refused of them.
import {
  aPod,
  both,
  configMap,
  container,
  HOST_FOLDER,
  phase,
  REAL,
  type Scenario,
  secret,
  succeeded,
  waiting,
} from '../scenario.ts';

const once = { restartPolicy: 'Never' } as const;
const at = (mountPath: string, more: object = {}) => ({ name: 'v', mountPath, ...more });
const aPodWith = (volume: object, script: string, { mount = {}, spec = {}, more = {} } = {}) =>
  aPod(
    { ...once, volumes: [{ name: 'v', ...volume }], ...spec },
    { command: ['/bin/sh', '-c', script], volumeMounts: [at('/v', mount)], ...more },
  );
const heldUp = both(phase('Pending'), container('main', waiting('ContainerCreating')));

/** A volume that cannot be had: an event says why, and the pod waits. */
const notMounted = (
  name: string,
  volume: object,
  { message, on = REAL }: { readonly message: RegExp; readonly on?: Scenario['on'] },
): Scenario => ({
  name,
  ...(on && { on }),
  pod: aPodWith(volume, 'exit 0'),
  steps: [{ event: { type: 'Warning', reason: 'FailedMount', message } }, { until: heldUp }],
});

/** By the type that is asked for, what upstream calls it. */
const TYPES: Readonly<Record<string, string>> = {
  Directory: 'directory',
  File: 'file',
  Socket: 'socket file',
  CharDevice: 'character device',
  BlockDevice: 'block device',
};

const GROUP = { securityContext: { runAsUser: 1234, runAsGroup: 1234, fsGroup: 4321 } };

/** The scenarios. */
export const scenarios: readonly Scenario[] = [
  ...Object.entries(TYPES).map(([type, called]) =>
    notMounted(
      `a hostPath of type ${type} that is not there keeps its pod waiting`,
      { hostPath: { path: `${HOST_FOLDER}/nowhere`, type } },
      {
        message: new RegExp(
          `^MountVolume.SetUp failed for volume "v" : hostPath type check failed: ${HOST_FOLDER}/nowhere is not a ${called}$`,
        ),
        // What looks at it is the same everywhere.
        on: type === 'Directory' ? REAL : ['embedded'],
      },
    ),
  ),
  notMounted(
    'a hostPath of type FileOrCreate makes no folder for its file',
    { hostPath: { path: `${HOST_FOLDER}/no/folder/file`, type: 'FileOrCreate' } },
    { message: /^MountVolume.SetUp failed for volume "v" : .*\/no\/folder\/file/ },
  ),
  notMounted(
    'an emptyDir of huge pages is refused by name, as no node gives them',
    { emptyDir: { medium: 'HugePages-2Mi' } },
    {
      message:
        /^MountVolume.SetUp failed for volume "v" : medium "HugePages-2Mi" is not supported by this node/,
      on: ['fake', ...REAL],
    },
  ),
  {
    name: 'an emptyDir of memory becomes no larger than what its pod may take',
    on: REAL,
    pod: aPodWith({ emptyDir: { medium: 'Memory' } }, 'cat /proc/mounts', {
      more: { resources: { limits: { memory: '32Mi' } } },
    }),
    steps: [{ until: succeeded }],
    logs: { main: [/^tmpfs \/v tmpfs .*size=32768k/] },
  },
  {
    name: 'a part of an emptyDir that is made for its mount may be written to by anybody, as the whole',
    on: REAL,
    pod: aPodWith({ emptyDir: {} }, 'echo hello > /v/a && cat /v/a; ls -ldn /v', {
      mount: { subPath: 'made/here' },
      spec: { securityContext: { runAsUser: 1234 } },
    }),
    steps: [{ until: succeeded }],
    logs: { main: ['hello', /^drwxrwxrwx/] },
  },
  {
    name: 'a part of a volume that is made belongs to the group of the volume',
    on: REAL,
    pod: aPodWith({ emptyDir: { medium: 'Memory' } }, 'touch /v/a; ls -ldn /v; ls -ln /v | cat', {
      mount: { subPath: 'made' },
      spec: GROUP,
    }),
    steps: [{ until: succeeded }],
    logs: { main: [/^drwxrwsrwx .* 4321 /, / 1234\s+4321 .* a$/] },
  },
  {
    name: 'fsGroup may read what the API gives a pod, and owns nothing of the host',
    on: REAL,
    objects: [configMap('files', { a: '1' }), secret('keys', { b: '2' })],
    pod: aPod(
      {
        ...once,
        ...GROUP,
        volumes: [
          { name: 'v', configMap: { name: 'files', defaultMode: 0o400 } },
          { name: 's', secret: { secretName: 'keys', defaultMode: 0o400 } },
          {
            name: 'h',
            hostPath: { path: `${HOST_FOLDER}/of-the-host`, type: 'DirectoryOrCreate' },
          },
        ],
      },
      {
        volumeMounts: [at('/v'), { name: 's', mountPath: '/s' }, { name: 'h', mountPath: '/h' }],
        command: ['/bin/sh', '-c', 'cat /v/a /s/b; echo; ls -lLn /v | cat; ls -ldn /h'],
      },
    ),
    steps: [{ until: succeeded }],
    logs: { main: ['12', /^-r--r----- .* 4321 .* a$/, /^drwxr-xr-x \S+ 0\s+0 /] },
  },
  {
    name: 'mounts of a container that is not privileged do not go to the host',
    pod: aPodWith({ emptyDir: {} }, 'exit 0', { mount: { mountPropagation: 'Bidirectional' } }),
    refused: /Bidirectional mount propagation is available only to privileged containers/,
    steps: [],
  },
  {
    name: 'nothing is read-only all the way down that is not read-only',
    pod: aPodWith({ emptyDir: {} }, 'exit 0', { mount: { recursiveReadOnly: 'Enabled' } }),
    refused: /recursiveReadOnly: Forbidden: may only be specified when readOnly is true/,
    steps: [],
  },
];
