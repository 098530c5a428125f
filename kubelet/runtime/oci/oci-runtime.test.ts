// The OCI runtime against the contract, then what only real containers show: isolation, limits, streams, terminals. Needs root, runc and conmon.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../../base/clock.ts';
import { containersContract } from '../../../test/contracts/containers.ts';
import {
  aContainer,
  aSandbox,
  listenTo,
  runtimeContract,
} from '../../../test/contracts/runtime.ts';
import { anOciHost, type OciHost, sh, shellFiles } from '../../../test/support/oci-host.ts';
import { until } from '../../../test/support/until.ts';
import { buildImage } from '../../images/build.ts';
import { MAX_LAYERS } from '../../images/image-config.ts';
import type { ContainerConfig } from '../runtime.ts';
import { layoutFor } from './layout.ts';
import type { OciRuntime } from './oci-runtime.ts';

runtimeContract('runc and conmon', async () => {
  const host = await anOciHost();
  return {
    runtime: await host.start(),
    netnsPath: undefined,
    container: (behaviour) => ({ imageId: host.shell.id, command: host.command(behaviour) }),
    logPath: (name) => join(host.folder, 'logs', `${name}.log`),
    dispose: () => host.dispose(),
  };
});

containersContract('runc and conmon', async () => {
  const host = await anOciHost();
  let runtime = await host.start();
  return {
    runtime,
    imageId: host.shell.id,
    folder: host.folder,
    restart: async (meanwhile) => {
      runtime.close();
      await meanwhile?.();
      runtime = await host.start();
      return runtime;
    },
    dispose: () => host.dispose(),
  };
});

describe('containers by runc and conmon', () => {
  let host: OciHost;
  let runtime: OciRuntime;
  beforeEach(async () => {
    host = await anOciHost();
    runtime = await host.start();
  });
  afterEach(() => host.dispose());

  const sandbox = aSandbox('a', { hostNetwork: true });

  const run = async (script: string, parts: Partial<ContainerConfig> = {}) => {
    const sandboxId = await runtime.runSandbox(sandbox);
    const name = parts.name ?? 'main';
    const logPath = join(host.folder, `${name}.log`);
    const config = { imageId: host.shell.id, command: sh(script), logPath, ...parts, name };
    const id = await runtime.createContainer(sandboxId, sandbox, aContainer(config));
    await runtime.startContainer(id);
    return id;
  };
  const say = async (id: string, script: string) => {
    const { exitCode, stdout, stderr } = await runtime.execSync(id, sh(script), 20_000);
    return { exitCode, stdout: Buffer.from(stdout).toString(), stderr: String(stderr) };
  };
  const forever = 'while :; do sleep 1; done';

  it('lets a pod have so many processes and no more, also after a resize', async () => {
    const small = aSandbox('few', { resources: { cpuShares: 128, pidsLimit: 30 } });
    const sandboxId = await runtime.runSandbox(small);
    await runtime.updateSandboxResources(sandboxId, { cpuShares: 256 });
    const logPath = join(host.folder, 'few.log');
    const command = sh('i=0; while [ $i -lt 50 ]; do sleep 60 & i=$((i+1)); done; wait');
    const config = aContainer({ name: 'few', imageId: host.shell.id, command, logPath });
    const id = await runtime.createContainer(sandboxId, small, config);
    const events = listenTo(runtime);
    await runtime.startContainer(id);
    await events.next('exited', id);
    events.stop();
    expect(await runtime.containerStatus(id)).toMatchObject({ exitCode: 2 });
    expect(readFileSync(logPath, 'utf8')).toContain('Cannot fork');
  });

  it('runs an image of as many layers as one may have', async () => {
    const layers = Array.from({ length: MAX_LAYERS - 1 }, (_, i) => ({
      files: [{ content: `${i}`, target: `/layers/${i}` }],
    }));
    const image = await buildImage(host.images, {
      name: 'many:1',
      layers: [{ files: await shellFiles(host.system) }, ...layers],
      config: {},
    });
    const token = '/var/run/secrets/kubernetes.io/serviceaccount';
    const mounts = [{ containerPath: token, hostPath: host.folder, readOnly: true }];
    const id = await run(forever, { imageId: image.id, mounts });
    expect((await say(id, 'ls /layers')).stdout.trim().split('\n')).toHaveLength(MAX_LAYERS - 1);
  });

  it('holds a container to its share of a CPU', async () => {
    const resources = { cpuQuotaUs: 20_000, cpuPeriodUs: 100_000 };
    await run('while :; do :; done', { resources });
    const usedMs = async () => {
      const [figures] = await runtime.stats();
      if (!figures) throw new Error('no figures');
      return Number(figures.cpuUsageNs) / 1e6;
    };
    // From before the first figure until after the last: where the host stands still meanwhile, the share is less, and never more.
    const from = systemClock.monotonic();
    const before = await usedMs();
    let used = 0;
    await until(async () => {
      used = (await usedMs()) - before;
      return used > 300;
    });
    expect(used / (systemClock.monotonic() - from)).toBeLessThan(0.35);
  });

  it('tells why a command on a terminal cannot run', async () => {
    const id = await run(forever);
    const opening = runtime.exec(id, { command: ['/no/such'], tty: true, stdin: true });
    await expect(opening).rejects.toThrow(/no such file/);
  });

  it.each([
    ['nope', 'exec: "nope": executable file not found in $PATH'],
    ['/no/such', 'exec: "/no/such": stat /no/such: no such file or directory'],
    ['/etc/passwd', 'exec: "/etc/passwd": permission denied'],
  ])('tells in one sentence why %s cannot run, the same each time', async (program, why) => {
    const id = await run(forever);
    const message = `OCI runtime exec failed: exec failed: unable to start container process: ${why}`;
    const failure = { reason: 'ExecError', message };
    for (let i = 0; i < 2; i++)
      await expect(runtime.execSync(id, [program], 20_000)).rejects.toMatchObject(failure);
    const session = await runtime.exec(id, { command: [program], tty: false, stdin: false });
    const said = [session.stdout, session.stderr].flatMap((stream) => stream ?? []).map(textOf);
    await expect(session.exit).rejects.toMatchObject(failure);
    expect(await Promise.all(said)).toEqual(['', '']);
    const terminal = runtime.exec(id, { command: [program], tty: true, stdin: true });
    await expect(terminal).rejects.toMatchObject(failure);
  });

  describe('of a command that does not end when it is killed', () => {
    /** Holds all processes of the container where they are: even a kill waits until they go on. */
    const held = async (id: string, work: () => Promise<void>) => {
      const own = ['--root', layoutFor(host.stateDir, host.clusterId).runcRoot];
      await host.system.run('runc', [...own, 'pause', id]);
      try {
        await work();
      } finally {
        await host.system.run('runc', [...own, 'resume', id]);
      }
    };
    const runs = (mark: string) => async () =>
      (await host.system.run('ps', ['-eo', 'args'])).stdout.split('\n').includes(mark);

    it('tells so within seconds, and leaves nothing of its own beside it', async () => {
      const limitMs = 1500;
      const ends: (() => void)[] = [];
      const timer: Clock['timer'] = (ms, fn) => {
        if (ms !== limitMs) return systemClock.timer(ms, fn);
        ends.push(fn);
        return { cancel: () => undefined };
      };
      runtime = await host.start({ ...systemClock, timer });
      const id = await run(forever);
      const slow = runtime.execSync(id, ['/bin/sleep', '7654'], limitMs);
      const outcome = slow.catch((error: unknown) => error);
      await until(runs('/bin/sleep 7654'));
      await held(id, async () => {
        // Its time is over once it is held, however long that took.
        for (const end of ends) end();
        expect(await outcome).toMatchObject({
          reason: 'ExecTimeout',
          message: 'command timed out after 1500 ms; it was killed, and does not end',
        });
        const { execs } = layoutFor(host.stateDir, host.clusterId).container(id);
        await until(() => host.system.list(execs).length === 0);
      });
      await until(async () => !(await runs('/bin/sleep 7654')()));
    });

    it.each([false, true])('ends its session all the same (terminal: %s)', async (tty) => {
      const id = await run(forever);
      const command = ['/bin/sleep', '8765'];
      const session = await runtime.exec(id, { command, tty, stdin: false });
      for (const stream of [session.stdout, session.stderr]) stream?.resume();
      await until(runs('/bin/sleep 8765'));
      await held(id, async () => {
        session.kill();
        expect(await session.exit).toBe(137);
      });
    });

    it('does not wait for who holds its output', async () => {
      const id = await run(forever);
      const command = sh('sleep 6543 & wait');
      const slow = runtime.execSync(id, command, 900);
      await expect(slow).rejects.toMatchObject({ reason: 'ExecTimeout' });
    });
  });

  it('gives a command its own words, even when they are those of the runtime', async () => {
    const id = await run(forever);
    const command = sh('echo exec failed: not really >&2; exit 126');
    const session = await runtime.exec(id, { command, tty: false, stdin: false });
    const said = [session.stdout, session.stderr].flatMap((stream) => stream ?? []).map(textOf);
    expect(await session.exit).toBe(126);
    expect(await Promise.all(said)).toEqual(['', 'exec failed: not really\n']);
  });

  it('keeps a log that nobody rotates within its bound', async () => {
    const logMaxBytes = 64 * 1024;
    const line = 'x'.repeat(200);
    const script = `i=0; while [ $i -lt 2000 ]; do i=$((i+1)); echo $i ${line}; done; echo last`;
    const events = listenTo(runtime);
    const id = await run(script, { logMaxBytes });
    await events.next('exited', id);
    events.stop();
    const text = readFileSync(join(host.folder, 'main.log'), 'utf8');
    expect(text).toContain('last\n');
    expect(text.length).toBeLessThanOrEqual(logMaxBytes);
    // A whole record; its line may be a part, where the pipe was read in the middle of what was said.
    expect(text.split('\n').at(0)).toMatch(/^\S+ stdout [FP] [\dx ]*$/);
  });

  it('leaves nothing, however often it is told to', async () => {
    await run(forever);
    await runtime.destroyAll();
    await runtime.destroyAll();
    expect(await runtime.listContainers()).toEqual([]);
  });

  it('joins the network namespace of the pod and applies its settings there', async () => {
    const name = `t${process.pid}`;
    await host.system.run('ip', ['netns', 'add', name]);
    try {
      const sysctls = { 'net.ipv4.ip_unprivileged_port_start': '77' };
      const netnsPath = `/run/netns/${name}`;
      const own = aSandbox('n', { netnsPath, hostname: 'inside', sysctls });
      const sandboxId = await runtime.runSandbox(own);
      const logPath = join(host.folder, 'n.log');
      const config = { name: 'n', imageId: host.shell.id, command: sh(forever), logPath };
      const id = await runtime.createContainer(sandboxId, own, aContainer(config));
      await runtime.startContainer(id);
      const files = '/proc/sys/kernel/hostname /proc/sys/net/ipv4/ip_unprivileged_port_start';
      expect((await say(id, `cat ${files}`)).stdout).toBe('inside\n77\n');
      await runtime.removeSandbox(sandboxId);
    } finally {
      await host.system.run('ip', ['netns', 'delete', name]);
    }
  });
});

async function textOf(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}
