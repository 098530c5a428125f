// A hundred small pods of every make, for storms: plain ones, servers with probes behind a Service, some with volumes, init
// containers, sidecars, hooks. Each container holds a lock of the host under the name of its pod and its own while it lives, which the
// kernel gives to one process at a time, whoever is killed: one that finds it taken runs beside its former self, and says so.
// Invariant: a line per start in a file per container, and one in TWICE for each that was not alone.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Container, Deployment, PodSpec, Service } from '../../../api/generated/types.ts';
import { PERL_IMAGE, SERVE } from '../perl-image.ts';

const NAMESPACE = 'default';
/** Where containers say that they were not alone. */
const TWICE = 'twice';
/** Deployments and their pods: a hundred in all. */
export const FLEET: Readonly<Record<string, number>> = {
  plain: 40,
  served: 20,
  prepared: 15,
  attended: 15,
  hooked: 10,
};
/** The container that runs before others, and says nothing. */
const INIT = 'first';
/** The Deployment behind the Service of its name. */
export const SERVED = 'served';

// Numbers are those of Linux: LOCK_EX | LOCK_NB.
const LOCKED = `
my ($name, @command) = @ARGV;
my $path = "/marks/$ENV{POD}.$name";
open(L, ">>$path") or die "$path: $!";
if (!flock(L, 6)) { open(T, ">>/marks/${TWICE}"); syswrite(T, "$path\\n"); exit 1; }
syswrite(L, "started\\n");
`;
/** Goes on for ever, holding its lock; ends at SIGTERM. */
const HOLD = `${LOCKED} $SIG{TERM} = sub { exit 0 }; sleep 1000 while 1;`;
/** Becomes the server, which keeps the lock open: it is kept over exec, as the first files of a process are. */
const HOLD_AND_SERVE = `$^F = 100; ${LOCKED} exec @command;`;

function held(name: string, script: string, command: readonly string[] = []): Container {
  return {
    name,
    image: PERL_IMAGE,
    command: ['/bin/perl', '-e', script, name, ...command],
    env: [{ name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.uid' } } }],
    volumeMounts: [{ name: 'marks', mountPath: '/marks' }],
  };
}

const main = (more: Partial<Container> = {}): Container => {
  const base = held('main', HOLD);
  const volumeMounts = [...(base.volumeMounts ?? []), ...(more.volumeMounts ?? [])];
  return { ...base, ...more, volumeMounts };
};

function specs(marks: string): Readonly<Record<string, PodSpec>> {
  const volumes = [{ name: 'marks', hostPath: { path: marks, type: 'Directory' } }];
  const base = { terminationGracePeriodSeconds: 2, volumes };
  const http = { httpGet: { path: '/', port: 8080 }, timeoutSeconds: 20 };
  const exec = { exec: { command: ['cat', '/scratch/ready'] }, timeoutSeconds: 20 };
  const mounted = [
    { name: 'scratch', mountPath: '/scratch' },
    { name: 'about', mountPath: '/about' },
    { name: 'config', mountPath: '/config' },
  ];
  const about = [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }];
  const more: PodSpec['volumes'] = [
    { name: 'scratch', emptyDir: { medium: 'Memory' } },
    { name: 'about', downwardAPI: { items: about } },
    { name: 'config', configMap: { name: 'storm' } },
  ];
  return {
    plain: { ...base, containers: [main()] },
    served: {
      ...base,
      containers: [
        {
          ...held('main', HOLD_AND_SERVE, [SERVE, '8080']),
          readinessProbe: { ...http, periodSeconds: 1 },
          livenessProbe: { ...http, periodSeconds: 5, failureThreshold: 5 },
        },
      ],
    },
    prepared: {
      ...base,
      volumes: [...volumes, ...more],
      initContainers: [
        {
          name: INIT,
          image: PERL_IMAGE,
          command: ['/bin/sh', '-c', 'cat /about/name /config/key > /scratch/ready'],
          volumeMounts: mounted,
        },
      ],
      containers: [main({ volumeMounts: mounted, readinessProbe: { ...exec, periodSeconds: 5 } })],
    },
    attended: {
      ...base,
      initContainers: [{ ...held('beside', HOLD), restartPolicy: 'Always' }],
      containers: [main()],
    },
    hooked: {
      ...base,
      containers: [
        main({
          lifecycle: {
            postStart: { exec: { command: ['cat', '/etc/hosts'] } },
            preStop: { exec: { command: ['sleep', '0.1'] } },
          },
        }),
      ],
    },
  };
}

/** All that is to be applied; `marks` is a directory of the host. */
export function fleetObjects(marks: string): readonly object[] {
  const deployments = Object.entries(specs(marks)).map(
    ([name, spec]): Deployment => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace: NAMESPACE },
      spec: {
        replicas: FLEET[name] ?? 0,
        selector: { matchLabels: { app: name } },
        template: { metadata: { labels: { app: name } }, spec },
      },
    }),
  );
  const service: Service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: SERVED, namespace: NAMESPACE },
    spec: { selector: { app: SERVED }, ports: [{ port: 80, targetPort: 8080 }] },
  };
  const config = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'storm', namespace: NAMESPACE },
    data: { key: 'value' },
  };
  return [config, service, ...deployments];
}

/** Containers that found their former self alive. */
export function ranTwice(marks: string): readonly string[] {
  return readdirSync(marks).includes(TWICE) ? linesOf(join(marks, TWICE)) : [];
}

/** Whether a container that says when it starts has not done so yet; `attempt` counts its starts from 0. */
export function isSilent(
  marks: string,
  podUid: string,
  { name, attempt }: { name: string; attempt: number },
): boolean {
  if (name === INIT) return false;
  try {
    return linesOf(join(marks, `${podUid}.${name}`)).length <= attempt;
  } catch {
    return true;
  }
}

/** How often each container was started, by `UID.NAME` of its pod and its own. */
export function startsOf(marks: string): ReadonlyMap<string, number> {
  const names = readdirSync(marks).filter((name) => name !== TWICE);
  return new Map(names.map((name) => [name, linesOf(join(marks, name)).length]));
}

const linesOf = (file: string): string[] => readFileSync(file, 'utf8').split('\n').filter(Boolean);
