// Pods whose containers share processes, or have users of their own, seen from within and from the host. Needs root, runc and conmon.
import { lstatSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aHungFileSystem } from '../../../test/support/hung-file-system.ts';
import { anOciHost, type OciHost, sh, shellFiles } from '../../../test/support/oci-host.ts';
import { aContainer, aSandbox } from '../../../test/support/runtime-configs.ts';
import { until } from '../../../test/support/until.ts';
import { readRecord } from '../../../system/record-file.ts';
import { buildImage } from '../../images/build.ts';
import type { ContainerConfig, SandboxConfig } from '../runtime.ts';
import { layoutFor } from './layout.ts';
import type { OciRuntime } from './oci-runtime.ts';
import { pauseProgram } from './pause-program.ts';
import type { SandboxRecord } from './records.ts';

let host: OciHost;
let runtime: OciRuntime;
beforeAll(async () => {
  host = await anOciHost();
  runtime = await host.start();
});
afterAll(() => host.dispose());

const forever = 'while :; do sleep 1; done';

async function run(sandbox: SandboxConfig, name: string, parts: Partial<ContainerConfig> = {}) {
  const sandboxId = await runtime.runSandbox(sandbox);
  const logPath = join(host.folder, `${sandbox.podUid}-${name}.log`);
  const config = { imageId: host.shell.id, command: sh(forever), logPath, ...parts, name };
  const id = await runtime.createContainer(sandboxId, sandbox, aContainer(config));
  await runtime.startContainer(id);
  return { sandboxId, id };
}

async function say(id: string, script: string): Promise<string> {
  const { stdout, stderr } = await runtime.execSync(id, sh(script), 20_000);
  return Buffer.from(stdout).toString() + Buffer.from(stderr).toString();
}

const stateOf = async (id: string) => (await runtime.containerStatus(id))?.state;

describe('a process namespace that containers share', () => {
  const pod = (uid: string) => aSandbox(uid, { shareProcessNamespace: true });

  it('has /pause as its first process, and each container sees the others', async () => {
    const one = await run(pod('a'), 'one', { command: sh('while :; do sleep 7777; done') });
    const two = await run(pod('a'), 'two');
    expect(await say(two.id, 'cat /proc/1/cmdline')).toBe('/pause\0');
    await until(async () => (await say(two.id, 'cat /proc/[0-9]*/cmdline')).includes('7777'));
    expect(one.sandboxId).toBe(two.sandboxId);
  });

  it('reaps what a container leaves to it', async () => {
    const { id } = await run(pod('b'), 'one');
    await say(id, '(sleep 0 &); sleep 0.1');
    await until(async () => !/\) Z /.test(await say(id, 'cat /proc/[0-9]*/stat')));
    expect(await say(id, 'cat /proc/1/status')).toMatch(/^State:\s+S/m);
  });

  it('loses all processes of a container with its first', async () => {
    const { id } = await run(pod('c'), 'one', { command: sh('sleep 5555 & sleep 0.2') });
    const two = await run(pod('c'), 'two');
    await until(async () => (await stateOf(id)) === 'exited');
    await until(async () => !(await say(two.id, 'cat /proc/[0-9]*/cmdline')).includes('5555'));
  });

  it('ends with its first process, and the sandbox is not ready any more', async () => {
    const { id, sandboxId } = await run(pod('d'), 'one');
    const layout = layoutFor(host.stateDir, host.clusterId);
    const inside = await host.system.run('pgrep', ['-x', 'pause']);
    const record = readRecord(layout.sandbox(sandboxId).record) as SandboxRecord;
    const pid = record.pause?.pid ?? 0;
    expect(inside.stdout.split('\n')).toContain(`${pid}`);
    host.system.kill(pid, 'SIGKILL');
    await until(async () => (await stateOf(id)) === 'exited');
    // The kernel ends all others of a namespace before its first process is gone.
    await until(async () => (await runtime.listSandboxes('d'))[0]?.state === 'notready');
    const config = { name: 'late', imageId: host.shell.id, command: sh(forever), logPath: '/l' };
    const late = runtime.createContainer(sandboxId, pod('d'), aContainer(config));
    await expect(late).rejects.toThrow(/not ready/);
    await runtime.removeSandbox(sandboxId);
  });

  it('is found again by an agent that comes back', async () => {
    const { id } = await run(pod('e'), 'one');
    runtime = await host.start();
    expect(await runtime.listSandboxes('e')).toMatchObject([{ state: 'ready' }]);
    const late = await run(pod('e'), 'late');
    expect(await say(late.id, 'cat /proc/1/cmdline')).toBe('/pause\0');
    expect(await stateOf(id)).toBe('running');
  });
});

describe('users of a pod’s own', () => {
  const HOST_ID = 5 * 65_536;
  const name = `u${process.pid}`;
  const netnsPath = `/run/netns/${name}`;
  beforeAll(() => host.system.makeUserNetwork(netnsPath, { hostId: HOST_ID, size: 65_536 }));
  afterAll(() => host.system.run('ip', ['netns', 'delete', name]));

  const pod = (uid: string, parts: Partial<SandboxConfig> = {}) =>
    aSandbox(uid, { netnsPath, userNamespace: { hostId: HOST_ID, size: 65_536 }, ...parts });

  it('are root within and nobody in particular outside', async () => {
    const { id } = await run(pod('u', { hostname: 'inside' }), 'one');
    const said = await say(
      id,
      'id -u; cat /proc/self/uid_map /proc/sys/kernel/hostname; ls -ln /bin/sh',
    );
    expect(said).toMatch(/^0\n\s+0\s+327680\s+65536\ninside\n-rwxr-xr-x 1 0 0 /);
    const { pid } = (await runtime.containerStatus(id)) ?? {};
    expect(host.system.read(`/proc/${pid}/status`)).toMatch(/^Uid:\s+327680\s/m);
    await say(id, 'echo x > /made');
    const { upper } = layoutFor(host.stateDir, host.clusterId).container(id);
    expect(statSync(join(upper, 'made')).uid).toBe(HOST_ID);
  });

  it('wait for a volume that hangs, and nobody waits with them', async () => {
    const hung = await aHungFileSystem(join(host.folder, 'hung'));
    const mount = { hostPath: hung.path, containerPath: '/data', readOnly: false };
    try {
      const starting = run(pod('hung'), 'one', { mounts: [mount] }).catch(
        (error: unknown) => error,
      );
      const other = await run(aSandbox('fine'), 'two');
      expect(await say(other.id, 'echo well')).toBe('well\n');
      expect(await starting).toMatchObject({
        reason: 'CreateContainerError',
        message: `a volume does not answer: a file system of ${hung.path} hangs`,
      });
    } finally {
      await hung.giveUp();
    }
  });

  it('own their volumes as without the namespace', async () => {
    const folder = join(host.folder, 'volume');
    mkdirSync(folder, { mode: 0o700 });
    writeFileSync(join(folder, 'secret'), 'hidden', { mode: 0o600 });
    const mount = { hostPath: folder, containerPath: '/data', readOnly: false };
    const file = {
      ...mount,
      hostPath: join(folder, 'secret'),
      containerPath: '/one',
      readOnly: true,
    };
    const { id } = await run(pod('v'), 'one', { mounts: [mount, file] });
    const script = 'cat /data/secret /one; echo y > /data/made; echo z > /one || echo refused';
    expect(await say(id, script)).toMatch(/^hiddenhidden[^]*refused/);
    expect(lstatSync(join(folder, 'made')).uid).toBe(0);
    expect(await say(id, 'ls -ln /data/made')).toMatch(/ 0 0 /);
  });

  it('keep the layers that they run from, though their image is removed', async () => {
    const own = { files: [{ content: 'still here', target: '/own' }] };
    const image = await buildImage(host.images, {
      name: 'removed:1',
      layers: [{ files: await shellFiles(host.system) }, own],
      config: {},
    });
    const { id } = await run(pod('r'), 'one', { imageId: image.id });
    await host.images.remove(image.id);
    expect(await say(id, 'cat /own')).toBe('still here');
  });

  it('may have their processes shared, and an unmasked /proc', async () => {
    const sandbox = pod('w', { shareProcessNamespace: true });
    const { security } = aContainer({ name: '', imageId: '', command: [], logPath: '' });
    const { id } = await run(sandbox, 'one', { security: { ...security, procMount: 'Unmasked' } });
    expect(await say(id, 'cat /proc/1/cmdline')).toBe('/pause\0');
    expect(await say(id, 'cat /proc/self/mountinfo')).not.toMatch(/ \/proc\/\S+ /);
  });

  it('have commands on terminals, and the network that their pod has', async () => {
    const sysctls = { 'net.ipv4.tcp_fin_timeout': '33', 'kernel.shm_rmid_forced': '1' };
    const { id } = await run(pod('x', { sysctls }), 'one');
    const names =
      'net/ipv4/tcp_fin_timeout net/ipv4/ip_unprivileged_port_start kernel/shm_rmid_forced';
    const script = `cd /proc/sys; cat ${names}; ls /sys/class/net`;
    expect(await say(id, script)).toBe('33\n0\n1\nlo\n');
    const command = sh('stty -a; exit 5');
    const session = await runtime.exec(id, { command, tty: true, stdin: false });
    const out = textOf(session.stdout);
    expect(await session.exit).toBe(5);
    expect(await out).toContain('speed');
  });

  it('are found again by an agent that comes back', async () => {
    const { id } = await run(pod('y'), 'one');
    runtime = await host.start();
    expect(await stateOf(id)).toBe('running');
    const { id: late } = await run(pod('y'), 'late');
    expect(await say(late, 'cat /proc/self/uid_map')).toMatch(/327680/);
  });
});

it('there is a program to pause with for each architecture that the agent runs on', () => {
  for (const architecture of ['x64', 'arm64'])
    expect(Buffer.from(pauseProgram(architecture).subarray(1, 4)).toString()).toBe('ELF');
  expect(() => pauseProgram('mips')).toThrow('mips');
});

async function textOf(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}
