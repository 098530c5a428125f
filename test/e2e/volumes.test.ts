// Volumes on a real node: file systems that hang, mounts that go from host to pod and back, and what an agent that died has left.
// Invariant: each test waits for what it is about, and nothing of a pod is mounted or lies on the host once the pod is gone.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLinuxSystem } from '../../system/linux.ts';
import { shellPod } from '../clients/objects.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { aHungFileSystem, type HungFileSystem } from '../support/hung-file-system.ts';
import { buildPerlImage, PERL_IMAGE } from '../support/perl-image.ts';
import { differencesOnHost } from '../support/restless/host-pods.ts';
import { until } from '../support/until.ts';

const CEILING = { timeout: 300_000 };
const STAY = 'while :; do sleep 0.2; done';
const system = createLinuxSystem();
let place: string;
let cluster: TestCluster;

beforeAll(async () => {
  place = mkdtempSync(join(tmpdir(), 'pinnace-volumes-'));
  cluster = await startTestCluster({ node: true });
  await buildPerlImage(cluster.host.system, cluster.paths.images);
});
afterAll(async () => {
  await cluster?.stop();
  rmSync(place, { recursive: true, force: true });
});

const hostPath = (path: string, type = '') => ({ name: 'v', hostPath: { path, type } });
const mount = (more: object = {}) => ({ name: 'v', mountPath: '/v', ...more });
const pod = (name: string, volume: object, { mounted = {}, container = {}, script = STAY } = {}) =>
  shellPod(name, script, {
    spec: { volumes: [volume] },
    container: { volumeMounts: [mount(mounted)], ...container },
  });
const ready = (...names: string[]) =>
  cluster.kubectl.wait('--for=condition=Ready', ...names.map((name) => `pod/${name}`));
const gone = (...names: string[]) =>
  cluster.kubectl.ok(['delete', 'pod', ...names, '--timeout=60s'], { timeoutMs: 65_000 });
const uidOf = async (name: string): Promise<string> =>
  (await cluster.kubectl.json(['get', 'pod', name])).metadata.uid;
const mountsWith = (text: string) =>
  system.mounts().filter(({ mountPoint }) => mountPoint.includes(text));

/** Waits until the pod was told of in these words. */
async function told(name: string, words: RegExp): Promise<void> {
  const args = ['get', 'events', `--field-selector=involvedObject.name=${name}`, '-o', 'json'];
  await until(async () => {
    const { items } = JSON.parse(await cluster.kubectl.ok(args)) as {
      items: { message: string }[];
    };
    return items.some(({ message }) => words.test(message));
  });
}

describe('a file system that hangs', () => {
  let frozen: string;
  let hung: HungFileSystem;
  beforeAll(async () => {
    frozen = join(place, 'frozen');
    mkdirSync(frozen);
    const image = join(place, 'image');
    await system.run('truncate', ['-s', '16M', image]);
    await system.run('mkfs.ext4', ['-q', '-F', image]);
    await system.run('mount', ['-o', 'loop', image, frozen]);
    await system.run('fsfreeze', ['--freeze', frozen]);
    hung = await aHungFileSystem(join(place, 'hung'));
  });
  afterAll(async () => {
    await hung?.giveUp();
    await system.run('fsfreeze', ['--unfreeze', frozen]).catch(() => undefined);
    await system.run('umount', [frozen]);
  });

  it('holds up the pods that name it, which say so, and no other', CEILING, async () => {
    const { kubectl } = cluster;
    await kubectl.apply([
      pod('made', hostPath(join(frozen, 'new'), 'DirectoryOrCreate')),
      pod('part', hostPath(frozen), { mounted: { subPath: 'made/here' } }),
      pod('silent', hostPath(hung.path, 'Directory')),
      pod('leaves', hostPath(join(frozen, 'other'), 'DirectoryOrCreate')),
    ]);
    await Promise.all([
      told(
        'made',
        /^MountVolume.SetUp failed .*new does not answer: the ext4 file system at .* hangs/,
      ),
      told('part', /frozen does not answer: the ext4 file system at .* hangs/),
      told('silent', /hung does not answer: the fuse file system at .* hangs/),
    ]);
    await kubectl.apply(pod('well', hostPath(join(place, 'well'), 'DirectoryOrCreate')));
    await ready('well');
    // What nothing is mounted of can go.
    await gone('leaves', 'silent');
    await system.run('fsfreeze', ['--unfreeze', frozen]);
    await ready('made', 'part');
    expect(readdirSync(join(frozen, 'made'))).toEqual(['here']);
    await gone('made', 'part', 'well');
    expect(mountsWith(`${cluster.paths.node}/pods/`)).toEqual([]);
  });
});

describe('mounts within a volume', () => {
  let shared: string;
  beforeAll(async () => {
    shared = join(place, 'shared');
    // What holds it is a mount of its own that is shared with nobody, whatever the host's is.
    await system.run('mount', ['--bind', place, place]);
    await system.run('mount', ['--make-private', place]);
    mkdirSync(shared);
    await system.run('mount', ['--bind', shared, shared]);
    await system.run('mount', ['--make-rshared', shared]);
  });
  afterAll(async () => {
    await system.run('umount', ['-R', place]);
  });

  it('go to the host and to other pods as mountPropagation says', CEILING, async () => {
    const { kubectl } = cluster;
    const propagated = (mountPropagation: string) => ({ mounted: { mountPropagation } });
    await kubectl.apply([
      pod('hears', hostPath(shared), propagated('HostToContainer')),
      pod('alone', hostPath(shared), propagated('None')),
    ]);
    await ready('hears', 'alone');
    // mount(2); it takes no constants.
    const script = `($what, $where) = ('tmpfs', '/v/inner'); mkdir $where;
      syscall(165, $what, $where, $what, 0, 0) == 0 or die $!;
      open(F, '>/v/inner/file'); close F; sleep 1000 while 1;`;
    const command = ['/bin/perl', '-e', script];
    const securityContext = { privileged: true };
    await kubectl.apply(
      pod('gives', hostPath(shared), {
        ...propagated('Bidirectional'),
        container: { image: PERL_IMAGE, command, securityContext },
      }),
    );
    const seen = join(shared, 'inner', 'file');
    await until(() => existsSync(seen));
    const list = (name: string) => kubectl.ok(['exec', name, '--', 'ls', '/v/inner']);
    expect(await list('hears')).toBe('file\n');
    expect(await list('alone')).toBe('');
    await gone('gives', 'hears', 'alone');
    // A mount of this folder's own would be seen nowhere else.
    const unshared = pod('unshared', hostPath(join(place, 'plain'), 'DirectoryOrCreate'), {
      ...propagated('Bidirectional'),
      container: { securityContext },
    });
    await kubectl.apply(unshared);
    await told('unshared', /plain" is mounted on ".*" but it is not a shared mount$/);
    await gone('unshared');
    // As upstream, what a pod has mounted on the host stays there.
    expect(existsSync(seen)).toBe(true);
    expect(mountsWith(`${cluster.paths.node}/pods/`)).toEqual([]);
  });
});

describe('an agent that died', () => {
  it('leaves no volume of pods that were deleted meanwhile', CEILING, async () => {
    const { kubectl } = cluster;
    const host = join(place, 'host');
    mkdirSync(join(host, 'part'), { recursive: true });
    writeFileSync(join(host, 'part', 'file'), '');
    const volumes = [
      { name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
      { name: 'disk', emptyDir: {} },
      { name: 'host', hostPath: { path: host } },
    ];
    const volumeMounts = [
      { name: 'memory', mountPath: '/memory' },
      { name: 'disk', mountPath: '/disk', subPath: 'a/b' },
      { name: 'host', mountPath: '/host', subPath: 'part' },
    ];
    const names = ['first', 'second'];
    await kubectl.apply(
      names.map((name) => shellPod(name, STAY, { spec: { volumes }, container: { volumeMounts } })),
    );
    await ready(...names);
    const [first = '', second = ''] = await Promise.all(names.map(uidOf));
    // Two in memory (the token's too) and two parts.
    expect(mountsWith(first)).toHaveLength(4);
    process.kill(cluster.pidOf('node') ?? Number.NaN, 'SIGKILL');
    await gone('first');
    await expect.poll(() => differencesOnHost(cluster), { timeout: 60_000 }).toEqual([]);
    expect(mountsWith(first)).toEqual([]);
    expect(existsSync(join(cluster.paths.node, 'pods', first))).toBe(false);
    expect(mountsWith(second)).toHaveLength(4);
    expect(await kubectl.ok(['exec', 'second', '--', 'ls', '/host'])).toBe('file\n');
    await gone('second');
    expect(readdirSync(join(host, 'part'))).toEqual(['file']);
  });
});
