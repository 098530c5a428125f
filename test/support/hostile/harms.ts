// Pods that try to harm others or the agent, each with what it must come to. Scripts are Perl's, of the image of perl-image.ts.
// Invariant: what a harm comes to is seen in its status or its log, never guessed from the time that has passed.
import { expect } from 'vitest';
import type { Container, PodSpec } from '../../../api/generated/types.ts';
import { PERL_IMAGE } from '../perl-image.ts';

/** A harm. */
export interface Harm {
  readonly name: string;
  readonly spec: PodSpec;
  /** Made before. */
  readonly objects?: readonly object[];
  /** What `kubectl wait` waits for; also said to its pods: `--for=…`. */
  readonly until: string;
  /** A part of the pod, once that holds. */
  readonly status?: object;
  /** In the log of its container, sooner or later. */
  readonly log?: RegExp;
}

const RUNNING = '--for=jsonpath={.status.phase}=Running';
const FAILED = '--for=jsonpath={.status.phase}=Failed';
const SUCCEEDED = '--for=jsonpath={.status.phase}=Succeeded';
const waiting = (reason: string) =>
  `--for=jsonpath={.status.containerStatuses[0].state.waiting.reason}=${reason}`;

/** A `$` before another is taken for itself, as in every command of a container. */
const perl = (script: string): readonly string[] => ['/bin/perl', '-e', script];

function pod(script: string, container: Partial<Container> = {}, rest: Partial<PodSpec> = {}) {
  const main = { name: 'main', image: PERL_IMAGE, command: [...perl(script)], ...container };
  const spec: PodSpec = {
    terminationGracePeriodSeconds: 1,
    restartPolicy: 'Never',
    containers: [main],
    ...rest,
  };
  return spec;
}

const STAY = 'sleep 1000 while 1;';
const limits = (resources: Readonly<Record<string, string>>) => ({
  resources: { limits: { ...resources } },
});
const terminated = (told: object) => ({
  status: { containerStatuses: [{ state: { terminated: told } }] },
});

/** They forbear from nothing that a process may do. */
const PROCESSES: readonly Harm[] = [
  {
    name: 'fork-bomb',
    // Each of them forks on, and tries again when it is refused.
    spec: pod('$| = 1; while (1) { next if defined fork; print "refused: $!\\n"; sleep 1 }'),
    until: RUNNING,
    log: /refused: Resource temporarily unavailable/,
  },
  {
    name: 'memory-hog',
    spec: pod('$x .= "x" x 1048576 while 1;', limits({ memory: '32Mi' })),
    until: FAILED,
    status: terminated({ reason: 'OOMKilled', exitCode: 137 }),
  },
  {
    name: 'cpu-burner',
    spec: pod('fork for 1 .. 3; print "burning\\n"; 1 while 1;', limits({ cpu: '200m' })),
    until: RUNNING,
  },
  {
    name: 'deaf',
    spec: pod(`$SIG{TERM} = 'IGNORE'; $| = 1; print "deaf\\n"; ${STAY}`),
    until: RUNNING,
    log: /deaf/,
  },
  {
    name: 'daemon',
    // Its child has a session, a parent and open files of its own; it ends with the container all the same.
    spec: pod(`if (!fork) { if (!fork) { $SIG{TERM} = 'IGNORE'; ${STAY} } exit 0 } wait; exit 0;`),
    until: SUCCEEDED,
    status: terminated({ reason: 'Completed', exitCode: 0 }),
  },
  {
    name: 'stopped',
    spec: pod(`$p = fork; if (!$p) { kill 'STOP', $$$$; exit 3 } kill 'STOP', $$$$; ${STAY}`),
    until: RUNNING,
  },
  {
    name: 'zombies',
    spec: pod(`fork or exit for 1 .. 900; $| = 1; print "dead\\n"; ${STAY}`),
    until: RUNNING,
    log: /dead/,
  },
  {
    name: 'port-grabber',
    spec: pod(
      'socket(S, 2, 1, 0); bind(S, pack("SnNx8", 2, $ENV{PORT}, 0x7f000001)) or die "bind: $!";',
      {},
      { hostNetwork: true },
    ),
    until: FAILED,
    log: /bind: Address already in use/,
  },
];

const empty = (more: object = {}) => ({ volumes: [{ name: 'empty', emptyDir: { ...more } }] });
const mounted = { volumeMounts: [{ name: 'empty', mountPath: '/empty' }] };

/** They leave much, or much that is hard to remove. */
const FILES: readonly Harm[] = [
  {
    name: 'tmpfs-filler',
    spec: pod(
      'open(F, ">/empty/x"); syswrite(F, "x" x 65536) or die "write: $!" while 1;',
      mounted,
      empty({ medium: 'Memory', sizeLimit: '2Mi' }),
    ),
    until: FAILED,
    log: /write: No space left on device/,
  },
  {
    name: 'disk-filler',
    spec: pod(
      `open(F, ">/empty/x"); syswrite(F, "x" x 1048576) for 1 .. 20; ${STAY}`,
      mounted,
      empty({ sizeLimit: '1Mi' }),
    ),
    until: FAILED,
    status: {
      status: {
        reason: 'Evicted',
        message: expect.stringMatching(/EmptyDir volume "empty" exceeds the limit "1Mi"/),
      },
    },
  },
  {
    name: 'layer-filler',
    spec: pod(
      `open(F, ">/x"); syswrite(F, "x" x 1048576) for 1 .. 20; ${STAY}`,
      limits({ 'ephemeral-storage': '1Mi' }),
    ),
    until: FAILED,
    status: {
      status: { reason: 'Evicted', message: expect.stringMatching(/ephemeral .*storage .*limit/) },
    },
  },
  {
    name: 'many-files',
    spec: pod(
      `for $d ('/many', '/empty/many') { mkdir $d; for (1 .. 50000) { open(F, ">$d/$_") or die $! } } $| = 1; print "made\\n"; ${STAY}`,
      mounted,
      empty(),
    ),
    until: RUNNING,
    log: /made/,
  },
  {
    name: 'deep-folders',
    // Deeper than any path may be long.
    spec: pod(
      `for $d ('/', '/empty') { chdir $d; for (1 .. 3000) { mkdir 'd' or die $!; chdir 'd' } } $| = 1; print "made\\n"; ${STAY}`,
      mounted,
      empty(),
    ),
    until: RUNNING,
    log: /made/,
  },
  {
    name: 'link-to-host',
    spec: pod(
      STAY,
      { volumeMounts: [{ name: 'empty', mountPath: '/stolen', subPath: 'link' }] },
      {
        ...empty(),
        initContainers: [
          {
            name: 'first',
            image: PERL_IMAGE,
            command: [...perl('symlink "/etc", "/empty/link" or die $!')],
            ...mounted,
          },
        ],
      },
    ),
    until: waiting('CreateContainerConfigError'),
  },
];

/** They say too much. */
const TALK: readonly Harm[] = [
  {
    name: 'log-flood',
    spec: pod(
      `$b = ("x" x 1023 . "\\n") x 64; $n += syswrite(STDOUT, $b) while $n < 200 << 20; print STDERR "said\\n"; ${STAY}`,
    ),
    until: RUNNING,
  },
  {
    name: 'long-line',
    // Again and again: the log shows its newest file only, and what was said once may be put aside before anybody looks.
    spec: pod(
      '$b = "y" x 65536; $n += syswrite(STDOUT, $b) while $n < 20 << 20; syswrite(STDOUT, "\\nsaid\\n"), sleep 1 while 1;',
    ),
    until: RUNNING,
    log: /said/,
  },
  {
    name: 'binary-log',
    spec: pod(`syswrite(STDOUT, join('', map { chr } 0 .. 255) x 64 . "\\nsaid\\n"); ${STAY}`),
    until: RUNNING,
    log: /said/,
  },
  {
    name: 'last-words',
    spec: pod(
      'open(F, ">/dev/termination-log"); truncate(F, 1 << 30); syswrite(F, "z" x 8192); exit 3;',
    ),
    until: FAILED,
    status: terminated({ reason: 'Error', exitCode: 3, message: 'z'.repeat(4096) }),
  },
  {
    name: 'probe-that-hangs',
    spec: pod(STAY, {
      readinessProbe: {
        exec: { command: [...perl(`$SIG{TERM} = 'IGNORE'; ${STAY}`)] },
        periodSeconds: 1,
      },
    }),
    until: RUNNING,
    status: { status: { containerStatuses: [{ ready: false }] } },
  },
  {
    name: 'probe-that-floods',
    spec: pod(STAY, {
      readinessProbe: {
        exec: { command: [...perl('syswrite(STDOUT, "p" x 65536) for 1 .. 1600; exit 1;')] },
        periodSeconds: 1,
      },
    }),
    until: RUNNING,
    status: { status: { containerStatuses: [{ ready: false }] } },
  },
];

/** They are given too much. */
const INPUT: readonly Harm[] = [
  {
    name: 'large-environment',
    spec: pod(`$| = 1; print scalar(keys %ENV), " variables\\n"; ${STAY}`, {
      env: Array.from({ length: 10_000 }, (_, i) => ({ name: `V${i}`, value: 'e'.repeat(60) })),
    }),
    until: RUNNING,
    log: /100\d\d variables/,
  },
  {
    name: 'huge-variable',
    // The kernel takes no string beyond 128 KiB.
    spec: pod(STAY, { env: [{ name: 'HUGE', value: 'e'.repeat(200_000) }] }),
    until: FAILED,
    status: terminated({ reason: 'Error', exitCode: 1 }),
    log: /argument list too long/,
  },
  {
    name: 'large-config',
    objects: [
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'large-config' },
        data: { large: 'c'.repeat(1_000_000) },
      },
    ],
    spec: pod(
      `$| = 1; print -s '/config/large', " bytes\\n"; ${STAY}`,
      { volumeMounts: [{ name: 'config', mountPath: '/config' }] },
      { volumes: [{ name: 'config', configMap: { name: 'large-config' } }] },
    ),
    until: RUNNING,
    log: /1000000 bytes/,
  },
];

/** Each line it prints is a way out that it found. */
const WAYS_OUT = `
for $file ('/proc/sysrq-trigger', '/proc/sys/kernel/core_pattern', '/proc/sys/kernel/hostname', '/sys/kernel/uevent_helper',
  '/sys/fs/cgroup/memory/release_agent', '/sys/fs/cgroup/memory/memory.limit_in_bytes', '/proc/kcore', '/proc/kmsg', '/dev/mem') {
  # What is hidden is the null device.
  print "writes $file\\n" if open(F, '+<', $file) && (stat F)[6] != 259;
}
opendir(D, '/proc');
for $pid (grep { /^\\d+$/ && $_ != $$$$ } readdir(D)) {
  print "sees process $pid\\n";
}
print "reads the host's memory\\n" if open(F, '<', '/proc/kcore') && sysread(F, $x, 1);
`;

/** They look for the agent. */
const ESCAPES: readonly Harm[] = [
  {
    name: 'proc-tricks',
    spec: pod(`${WAYS_OUT} print "no way out but those\\n";`),
    until: SUCCEEDED,
    log: /^no way out but those\n$/,
  },
  {
    name: 'host-processes',
    // It sees the agent, and may not look into it.
    spec: pod(
      `opendir(D, '/proc');
      for $p (grep { /^\\d+$/ } readdir(D)) {
        open(C, "/proc/$p/cmdline") && <C> =~ m{serve/node.ts} or next;
        $seen = 1;
        print "reads the agent's environment\\n" if open(E, "/proc/$p/environ") && <E> ne '';
        print "enters the agent's files\\n" if chdir "/proc/$p/root/etc";
      }
      print $seen ? "the agent is kept to itself\\n" : "there is no agent\\n";`,
      {},
      { hostPID: true },
    ),
    until: SUCCEEDED,
    log: /^the agent is kept to itself\n$/,
  },
];

/** All of them. */
export const HARMS: readonly Harm[] = [...PROCESSES, ...FILES, ...TALK, ...INPUT, ...ESCAPES];
