// The specification of a container: what is asked of runc, and what is left out because the host would refuse it.
import { describe, expect, it } from 'vitest';
import { createRecordingSystem } from '../../../system/recording.ts';
import { aContainer, aSandbox } from '../../../test/contracts/runtime.ts';
import type { ContainerConfig, ImageInfo, SandboxConfig } from '../runtime.ts';
import { CAPABILITY_NAMES, capabilitiesOf, containerCapabilities } from './capabilities.ts';
import { signalNumber } from './containers.ts';
import { runcMessage } from './context.ts';
import { hostDevices } from './confinement.ts';
import { resolveUser } from './image-user.ts';
import { layoutFor } from './layout.ts';
import { cpuUsageOf, workingSetOf } from './node-stats.ts';
import { argumentsOf, buildSpec, type SpecInput } from './runtime-spec.ts';
import { seccompProfile } from './seccomp-profile.ts';
import { refuseContainer, refuseSandbox } from './unsupported.ts';

const image: ImageInfo = {
  id: 'sha256:1',
  names: [],
  sizeBytes: 0,
  entrypoint: ['/entry'],
  cmd: ['image-arg'],
  env: ['PATH=/image/bin', 'A=image', 'EQUALS=a=b'],
  workingDir: '/work',
  user: '',
  stopSignal: undefined,
  repoDigests: [],
};

const all = new Set<string>(CAPABILITY_NAMES);

function spec(
  config: Partial<ContainerConfig> = {},
  sandbox: Partial<SandboxConfig> = {},
  host: Partial<SpecInput['host']> & { pid?: string; devices?: SpecInput['devices'] } = {},
) {
  const base = { name: 'c', imageId: image.id, command: [], logPath: '/l' };
  const built = buildSpec({
    config: aContainer({ ...base, ...config }),
    sandbox: aSandbox('u', { netnsPath: '/run/netns/x', hostNetwork: false, ...sandbox }),
    image,
    devices: host.devices ?? [],
    localSeccomp: undefined,
    user: { uid: 0, gid: 0, additionalGids: [] },
    host: {
      capabilities: all,
      minOomScoreAdj: undefined,
      limitsSwap: true,
      killsGroups: false,
      ...host,
    },
    paths: {
      rootfs: '/m',
      cgroup: '/p/c',
      hosts: '/s/hosts',
      resolvConf: '/s/resolv.conf',
      hostname: '/s/hostname',
      shm: '/s/shm',
      ipc: '/ns/ipc',
      uts: '/ns/uts',
      pid: host.pid,
      user: undefined,
      terminationLog: { hostPath: '/t', containerPath: '/dev/termination-log' },
    },
  });
  return built as unknown as {
    process: { env: string[]; oomScoreAdj: number; rlimits?: unknown; args: string[]; cwd: string };
    mounts: { destination: string; source: string; options: string[] }[];
    linux: {
      namespaces: { type: string; path?: string }[];
      resources: Record<string, unknown>;
      devices: object[];
      sysctl: Record<string, string>;
      maskedPaths?: string[];
      seccomp?: unknown;
      rootfsPropagation?: string;
    };
  };
}

const { security } = aContainer({ name: '', imageId: '', command: [], logPath: '' });

describe('the specification', () => {
  it('joins the namespaces of the pod by path and makes the rest', () => {
    expect(spec().linux.namespaces).toEqual([
      { type: 'pid' },
      { type: 'mount' },
      { type: 'cgroup' },
      { type: 'ipc', path: '/ns/ipc' },
      { type: 'uts', path: '/ns/uts' },
      { type: 'network', path: '/run/netns/x' },
    ]);
  });

  it('sees the processes of another container, or of the host, where it is told to', () => {
    const pid = '/proc/7/ns/pid';
    expect(spec({}, {}, { pid }).linux.namespaces[0]).toEqual({ type: 'pid', path: pid });
    const types = spec({}, { hostPid: true, hostIpc: true }).linux.namespaces.map((n) => n.type);
    expect(types).toEqual(['mount', 'cgroup', 'uts', 'network']);
  });

  it('leaves the host its network and its network settings', () => {
    const sysctls = { 'net.ipv4.x': '1', 'kernel.shm_rmid_forced': '1' };
    const { linux } = spec({}, { hostNetwork: true, netnsPath: undefined, sysctls });
    expect(linux.namespaces.some(({ type }) => type === 'network')).toBe(false);
    expect(linux.sysctl).toEqual({ 'kernel.shm_rmid_forced': '1' });
  });

  it('lets the container win over the image in the environment, with equals signs kept', () => {
    const { env } = spec({ env: [{ name: 'A', value: 'own' }] }).process;
    expect(env).toEqual(['PATH=/image/bin', 'HOSTNAME=host-u', 'A=own', 'EQUALS=a=b']);
  });

  it('clamps the oom score where it may not be lowered, and never asks for rlimits', () => {
    expect(spec({ resources: { oomScoreAdj: -500 } }).process.oomScoreAdj).toBe(-500);
    const clamped = spec({ resources: { oomScoreAdj: -500 } }, {}, { minOomScoreAdj: 0 });
    expect(clamped.process.oomScoreAdj).toBe(0);
    expect(clamped.process.rlimits).toBeUndefined();
  });

  it('closes swap only where the host can', () => {
    const resources = { memoryLimitBytes: 100 };
    const memory = (limitsSwap: boolean) =>
      spec({ resources }, {}, { limitsSwap }).linux.resources['memory'];
    expect(memory(true)).toEqual({ limit: 100, swap: 100 });
    expect(memory(false)).toEqual({ limit: 100 });
  });

  it('lets a volume win over a mount of ours and mounts parents first', () => {
    const volume = (containerPath: string) => ({ hostPath: '/v', containerPath, readOnly: true });
    const { mounts } = spec({ mounts: [volume('/a/b/c'), volume('/etc/hosts/'), volume('/a')] });
    const places = mounts.map(({ destination }) => destination);
    expect(places.filter((place) => place === '/etc/hosts')).toHaveLength(1);
    expect(mounts.find(({ destination }) => destination === '/etc/hosts')?.source).toBe('/v');
    expect(places.indexOf('/a')).toBeLessThan(places.indexOf('/a/b/c'));
  });

  it('spreads mounts to the host only when that is asked for', () => {
    const mount = { hostPath: '/v', containerPath: '/v', readOnly: false };
    expect(spec({ mounts: [mount] }).linux.rootfsPropagation).toBeUndefined();
    const both = spec({ mounts: [{ ...mount, propagation: 'Bidirectional' }] });
    expect(both.linux.rootfsPropagation).toBe('rshared');
    expect(both.mounts.find(({ destination }) => destination === '/v')?.options).toContain(
      'rshared',
    );
  });

  it('hides and filters nothing from a privileged container', () => {
    expect(spec().linux.maskedPaths).toContain('/proc/kcore');
    expect(spec().linux.seccomp).toBeDefined();
    const { linux } = spec({ security: { ...security, privileged: true } });
    expect([linux.maskedPaths, linux.seccomp]).toEqual([undefined, undefined]);
  });

  it('gives devices with what may be done with them, and a privileged container all', () => {
    const node = { path: '/dev/fuse', type: 'c', major: 10, minor: 229 } as const;
    const owned = { ...node, mode: 0o666, uid: 0, gid: 0 };
    const devices = [{ node: owned, path: '/dev/mine', permissions: 'rw' }];
    const { linux } = spec({}, {}, { devices });
    expect(linux.devices).toMatchObject([{ path: '/dev/mine', major: 10, minor: 229 }]);
    expect(linux.resources['devices']).toEqual([
      { allow: false, access: 'rwm' },
      { allow: true, type: 'c', major: 10, minor: 229, access: 'rw' },
    ]);
    const privileged = spec({ security: { ...security, privileged: true } }, {}, { devices });
    expect(privileged.linux.resources['devices']).toEqual([{ allow: true, access: 'rwm' }]);
    const console = { ...owned, path: '/dev/console' };
    expect(hostDevices([owned, console]).map(({ path }) => path)).toEqual(['/dev/fuse']);
  });

  it('has the kernel end all of a container together where it can', () => {
    expect(spec().linux.resources['unified']).toBeUndefined();
    const unified = spec({}, {}, { killsGroups: true }).linux.resources['unified'];
    expect(unified).toEqual({ 'memory.oom.group': '1' });
  });

  it('follows the rules of command and args', () => {
    const args = (command: string[], own: string[]) =>
      argumentsOf(aContainer({ name: '', imageId: '', command, args: own, logPath: '' }), image);
    expect(args([], [])).toEqual(['/entry', 'image-arg']);
    expect(args([], ['x'])).toEqual(['/entry', 'x']);
    expect(args(['/own'], [])).toEqual(['/own']);
    expect(args(['/own'], ['x'])).toEqual(['/own', 'x']);
    const config = aContainer({ name: '', imageId: '', command: [], logPath: '' });
    expect(() => argumentsOf(config, { ...image, entrypoint: [], cmd: [] })).toThrow('command');
  });
});

describe('what this runtime cannot do', () => {
  const kernel = (osrelease: string, most = '1000') =>
    createRecordingSystem({
      '/proc/sys/kernel/osrelease': osrelease,
      '/proc/sys/user/max_user_namespaces': most,
    });

  it('is refused with its name', () => {
    const config = aContainer({ name: '', imageId: '', command: [], logPath: '' });
    const confined = { ...config, security: { ...security, appArmor: 'RuntimeDefault' as const } };
    expect(() => refuseContainer(kernel('6.1.0'), confined)).toThrow(/AppArmor is not enabled/);
    const unconfined = { ...security, appArmor: 'Unconfined' as const };
    const plain = { ...config, security: unconfined };
    expect(() => refuseContainer(kernel('6.1.0'), plain)).not.toThrow();
    const mount = { hostPath: '/h', containerPath: '/c', readOnly: true, recursiveReadOnly: true };
    const deep = { ...config, mounts: [mount] };
    expect(() => refuseContainer(kernel('5.10.0'), deep)).toThrow(/\/c cannot be read-only/);
    expect(() => refuseContainer(kernel('5.12.0'), deep)).not.toThrow();
  });

  it('is refused where mounts of the container could not be seen on the host', () => {
    const config = aContainer({ name: '', imageId: '', command: [], logPath: '' });
    const mount = { hostPath: '/data/x', containerPath: '/c', readOnly: false };
    const both = { ...config, mounts: [{ ...mount, propagation: 'Bidirectional' as const }] };
    const system = kernel('6.1.0');
    const at = { root: '/', type: 'ext4', source: '/dev/x', options: 'rw' };
    system.mountTable.push({ ...at, mountPoint: '/', isShared: true });
    expect(() => refuseContainer(system, both)).not.toThrow();
    system.mountTable.push({ ...at, mountPoint: '/data' });
    expect(() => refuseContainer(system, both)).toThrow(
      'path "/data/x" is mounted on "/data" but it is not a shared mount',
    );
    const heard = { ...config, mounts: [{ ...mount, propagation: 'HostToContainer' as const }] };
    expect(() => refuseContainer(system, heard)).not.toThrow();
  });

  it('is refused for whole pods as well', () => {
    const userNamespace = { hostId: 100_000, size: 65_536 };
    const pod = aSandbox('u', { userNamespace, netnsPath: '/run/netns/x' });
    expect(() => refuseSandbox(kernel('6.2.16-3-generic', '1000'), pod)).toThrow('hostUsers');
    expect(() => refuseSandbox(kernel('6.12.0', '0'), pod)).toThrow('hostUsers');
    expect(() => refuseSandbox(kernel('6.3.0', '1000'), pod)).not.toThrow();
    expect(() => refuseSandbox(kernel('5.10.0', '0'), aSandbox('u'))).not.toThrow();
    const inHostNetwork = aSandbox('u', { userNamespace });
    expect(() => refuseSandbox(kernel('6.3.0', '1'), inHostNetwork)).toThrow('hostNetwork');
  });
});

describe('capabilities', () => {
  it('are read from the bits of /proc/PID/status', () => {
    expect([...capabilitiesOf('Name: x\nCapBnd:\t0000000000000401\n', 'CapBnd')]).toEqual([
      'CAP_CHOWN',
      'CAP_NET_BIND_SERVICE',
    ]);
  });

  it('are added and dropped by short names, and cut to what may be handed out', () => {
    const give = (add: string[], drop: string[], available: ReadonlySet<string> = all) =>
      containerCapabilities({ privileged: false, add, drop }, available);
    expect(give([], [])).toHaveLength(14);
    expect(give(['NET_ADMIN'], ['ALL'])).toEqual(['CAP_NET_ADMIN']);
    expect(give(['ALL'], ['NET_RAW'])).toHaveLength(CAPABILITY_NAMES.length - 1);
    const few = new Set(['CAP_CHOWN']);
    expect(give(['ALL', 'NO_SUCH'], [], few)).toEqual(['CAP_CHOWN']);
    expect(() => give(['SYS_RESOURCE'], ['ALL'], few)).toThrow(/CAP_SYS_RESOURCE cannot be given/);
  });
});

describe('seccomp', () => {
  const names = (capabilities: string[]) =>
    new Set(
      seccompProfile(capabilities)
        .syscalls.filter(({ action, args }) => action === 'SCMP_ACT_ALLOW' && !args)
        .flatMap((rule) => rule.names),
    );

  it('denies what is not listed and what would change the host', () => {
    expect(seccompProfile([]).defaultAction).toBe('SCMP_ACT_ERRNO');
    for (const name of ['mount', 'unshare', 'bpf', 'keyctl', 'kexec_load', 'init_module', 'clone'])
      expect(names([])).not.toContain(name);
    for (const name of ['read', 'execve', 'futex', 'epoll_wait', 'io_setup', 'getrandom'])
      expect(names([])).toContain(name);
  });

  it('opens calls with the capability that they need anyway', () => {
    expect(names(['CAP_SYS_ADMIN'])).toContain('mount');
    expect(names(['CAP_SYS_PTRACE'])).toContain('ptrace');
  });
});

describe('users', () => {
  const files = { passwd: 'root:x:0:0\nshop:x:5:6\n', group: 'extra:x:7:other,shop\ng:x:8:\n' };
  const resolve = (text: string, run: { runAsUser?: number; runAsGroup?: number } = {}) =>
    resolveUser({ image: text, supplementalGroups: [9], ...run }, files);

  it.each([
    ['', 0, 0, [0, 9]],
    ['shop', 5, 6, [6, 7, 9]],
    ['shop:g', 5, 8, [8, 7, 9]],
    ['5', 5, 6, [6, 7, 9]],
    ['77', 77, 0, [0, 9]],
    ['77:78', 77, 78, [78, 9]],
  ])('resolves "%s"', (text, ...[uid, gid, additionalGids]) => {
    expect(resolve(text)).toEqual({ uid, gid, additionalGids });
  });

  it('heeds no group of the image where the policy is strict', () => {
    const wanted = { image: 'shop', supplementalGroups: [9], supplementalGroupsPolicy: 'Strict' };
    expect(resolveUser(wanted as Parameters<typeof resolveUser>[0], files)).toEqual({
      uid: 5,
      gid: 6,
      additionalGids: [6, 9],
    });
  });

  it('lets the security context win over the image', () => {
    expect(resolve('shop:g', { runAsUser: 42 })).toMatchObject({ uid: 42, gid: 0 });
    expect(resolve('shop', { runAsGroup: 43 })).toMatchObject({ uid: 5, gid: 43 });
  });

  it('names a user or group that is not there', () => {
    expect(() => resolve('nobody')).toThrow('no user "nobody"');
    expect(() => resolve('shop:none')).toThrow('no group "none"');
  });
});

describe('small readers', () => {
  it('reads stop signals in all their spellings', () => {
    const texts = ['SIGINT', 'quit', '9', 'SIGRTMIN+3', 'nonsense', undefined];
    expect(texts.map(signalNumber)).toEqual([2, 3, 9, 37, 15, 15]);
    const edges = ['SIGRTMIN', 'SIGRTMAX', 'SIGRTMAX-14', 'SIGCLD'];
    expect(edges.map(signalNumber)).toEqual([34, 64, 50, 17]);
    // What the kernel does not know would never stop anything.
    const none = ['999', '0', '65', 'SIGRTMIN+99', 'SIGRTMAX-99'];
    expect(none.map(signalNumber)).toEqual(none.map(() => 15));
  });

  it("finds runc's message in its log line", () => {
    expect(runcMessage('x\ntime="t" level=error msg="no \\"file\\""')).toBe('no "file"');
    expect(runcMessage('plain')).toBe('plain');
  });

  it('reads the figures of the node', () => {
    expect(cpuUsageOf('cpu  1 2 3 100 50 4 5 6 7 8\ncpu0 1\n')).toBe(150_000_000n);
    expect(workingSetOf('MemTotal: 100 kB\nMemFree: 1 kB\nMemAvailable: 40 kB\n')).toBe(61_440);
  });

  it('keeps socket paths within what a socket address holds, however long the state directory', () => {
    const layout = layoutFor(`/very/${'long/'.repeat(60)}`, 'a'.repeat(20));
    const socket = layout.container('f'.repeat(32)).attachSocket;
    expect(socket.length).toBeLessThanOrEqual(107);
  });
});
