// What a runtime finds after the agent was killed at any moment: a second runtime over the same state stands for the agent that comes back.
import { once } from 'node:events';
import {
  appendFileSync,
  closeSync,
  constants,
  existsSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { aContainer, aSandbox } from '../../../test/contracts/runtime.ts';
import { anOciHost, type OciHost, sh } from '../../../test/support/oci-host.ts';
import type { MakerOptions } from '../../../test/support/oci-maker.ts';
import { until } from '../../../test/support/until.ts';
import { createCgroups } from '../../../system/cgroups.ts';
import { readRecord } from '../../../system/record-file.ts';
import { layoutFor } from './layout.ts';
import type { OciRuntime } from './oci-runtime.ts';
import type { ContainerRecord } from './records.ts';

const MAKER = fileURLToPath(new URL('../../../test/support/oci-maker.ts', import.meta.url));

describe('recovery', () => {
  let host: OciHost;
  let runtime: OciRuntime;
  beforeEach(async () => {
    host = await anOciHost();
    runtime = await host.start();
  });
  afterEach(() => host.dispose());

  const sandbox = aSandbox('a', { hostNetwork: true });
  const create = async (script: string) => {
    const sandboxId = await runtime.runSandbox(sandbox);
    const logPath = join(host.folder, 'main.log');
    const config = { name: 'main', imageId: host.shell.id, command: sh(script), logPath };
    return runtime.createContainer(sandboxId, sandbox, aContainer(config));
  };
  const run = async (script: string) => {
    const id = await create(script);
    await runtime.startContainer(id);
    return id;
  };
  const recordOf = (id: string) => layoutFor(host.stateDir, host.clusterId).container(id).record;
  const rewrite = (id: string, change: Partial<ContainerRecord>) => {
    const record = readRecord(recordOf(id)) as ContainerRecord;
    writeFileSync(recordOf(id), JSON.stringify({ ...record, ...change }));
  };
  const status = async (id: string) => runtime.containerStatus(id);
  const forever = 'while :; do sleep 1; done';

  it('finds a running container, the same process, and can still end it', async () => {
    const id = await run(forever);
    const before = await status(id);
    runtime = await host.start();
    expect(await status(id)).toEqual(before);
    expect(await runtime.runSandbox(sandbox)).toBe(before?.sandboxId);
    await runtime.stopContainer(id, 0);
    expect(await status(id)).toMatchObject({ state: 'exited', exitCode: 137 });
  });

  it('knows the exit code of a container that ended while no agent was there', async () => {
    // It ends when it is told to, which is after the agent has gone.
    const id = await run('until [ -e /end ]; do sleep 0.02; done; sleep 0.1; exit 6');
    runtime.close();
    const layout = layoutFor(host.stateDir, host.clusterId);
    writeFileSync(join(layout.container(id).rootfs, 'end'), '');
    const file = join(layout.exits, id);
    await vi.waitFor(() => readFileSync(file), { timeout: 20_000 });
    runtime = await host.start();
    const found = await status(id);
    expect(found).toMatchObject({ state: 'exited', exitCode: 6, reason: 'Error', endUnseen: true });
    expect(found?.finishedAtMs).toBeGreaterThanOrEqual(found?.startedAtMs ?? Infinity);
  });

  it('removes a container that was being made, and makes it anew when asked again', async () => {
    const id = await create(forever);
    rewrite(id, { phase: 'creating' });
    runtime = await host.start();
    expect(await runtime.listContainers()).toEqual([]);
    // It would be counted as a start.
    expect(existsSync(join(host.folder, 'main.log'))).toBe(false);
    const again = await create(forever);
    expect(again).not.toBe(id);
    await runtime.startContainer(again);
    expect(await status(again)).toMatchObject({ state: 'running' });
  });

  it('ends conmon and runc when they go on making a container after the death', async () => {
    const { folder, stateDir, clusterId, system, shell } = host;
    const { containers, run: root } = layoutFor(stateDir, clusterId);
    const options: MakerOptions = { folder, stateDir, clusterId, imageId: shell.id };
    runtime.close();
    const maker = system.spawn(process.execPath, [MAKER, JSON.stringify(options)]);
    let said = '';
    maker.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    /** Processes of runc that make one of this host's containers: others run theirs at the same time. */
    const atWork = () => {
      const ids = new Set(system.list(containers));
      return system.list('/proc').filter((pid) => {
        const args = (system.read(`/proc/${pid}/cmdline`) ?? '').split('\0');
        return args[0]?.endsWith('runc') && args.includes('create') && ids.has(args.at(-2) ?? '');
      });
    };
    // One that was over before it could be stopped does not count.
    await until(() => {
      for (const pid of atWork()) system.kill(Number(pid), 'SIGSTOP');
      const stands = (pid: string) => system.processState(Number(pid)) === 'T';
      return atWork().some(stands) || maker.exitCode !== null;
    });
    expect(maker.exitCode, said).toBeNull();
    maker.kill('SIGKILL');
    await once(maker, 'exit');
    runtime = await host.start();
    const { stdout } = await system.run('ps', ['-eo', 'args']);
    expect(stdout.split('\n').filter((line) => line.includes(root))).toEqual([]);
    expect(await runtime.listContainers()).toEqual([]);
  });

  it('takes back a start that broke off at the gate: its program never ran', async () => {
    const { containers, runcRoot } = layoutFor(host.stateDir, host.clusterId);
    const id = await create(forever);
    const { init } = readRecord(recordOf(id)) as ContainerRecord;
    runtime.close();
    rewrite(id, { phase: 'starting' });
    // The agent opens the gate, and dies before init has gone through; init may be on its way there still.
    const pid = init?.pid ?? 0;
    await until(() => {
      if (!host.system.kill(pid, 'SIGSTOP')) return true;
      const gate = join(runcRoot, id, 'exec.fifo');
      closeSync(openSync(gate, constants.O_RDONLY | constants.O_NONBLOCK));
      host.system.kill(pid, 'SIGCONT');
      return false;
    });
    runtime = await host.start();
    expect(await runtime.listContainers()).toEqual([]);
    expect(existsSync(join(containers, id))).toBe(false);
    const again = await run('echo ran');
    await until(async () => (await status(again))?.state === 'exited');
    expect(readFileSync(join(host.folder, 'main.log'), 'utf8')).toMatch(/^\S+ stdout F ran\n$/);
  });

  it('finds out whether a start took place', async () => {
    const id = await run(forever);
    rewrite(id, { phase: 'starting' });
    runtime = await host.start();
    expect(await status(id)).toMatchObject({ state: 'running' });
    await runtime.removeContainer(id);
    const second = await create(forever);
    rewrite(second, { phase: 'starting' });
    runtime = await host.start();
    expect(await status(second)).toMatchObject({ state: 'created' });
    await runtime.startContainer(second);
    expect(await status(second)).toMatchObject({ state: 'running' });
  });

  it('starts no second time what went on before its starter could tell', async () => {
    const id = await create(`echo begun; ${forever}`);
    const { runcRoot } = layoutFor(host.stateDir, host.clusterId);
    const fifo = join(runcRoot, id, 'exec.fifo');
    await runtime.startContainer(id);
    await host.system.run('mkfifo', [fifo]);
    rewrite(id, { phase: 'created' });
    runtime = await host.start();
    await runtime.startContainer(id);
    expect(await status(id)).toMatchObject({ state: 'running' });
    expect(host.system.exists(fifo)).toBe(false);
    await until(() => readFileSync(join(host.folder, 'main.log'), 'utf8').includes('begun'));
    expect(readFileSync(join(host.folder, 'main.log'), 'utf8').match(/begun/g)).toHaveLength(1);
  });

  it('does not wait for a container that ended before it was started', async () => {
    const id = await create(forever);
    const { init, conmon } = readRecord(recordOf(id)) as ContainerRecord;
    for (const { pid } of [conmon, init].filter((each) => each !== undefined))
      host.system.kill(pid, 'SIGKILL');
    await expect(runtime.startContainer(id)).rejects.toMatchObject({
      reason: 'RunContainerError',
      message: 'its first process has ended',
    });
  });

  it('ends a container whose conmon was killed, since its exit code is lost', async () => {
    const id = await run(forever);
    const record = readRecord(recordOf(id)) as ContainerRecord;
    host.system.kill(record.conmon?.pid ?? 0, 'SIGKILL');
    await vi.waitFor(
      async () =>
        expect(await status(id)).toMatchObject({
          state: 'exited',
          exitCode: 137,
          reason: 'ContainerStatusUnknown',
          message: expect.stringContaining('lost its monitor') as string,
        }),
      { timeout: 20_000 },
    );
    const pid = record.init?.pid ?? 0;
    await vi.waitFor(() => expect(host.system.processState(pid) ?? 'Z').toBe('Z'), {
      timeout: 20_000,
    });
  });

  it('ends commands that the death has cut off from their callers, and nothing else', async () => {
    const id = await run(`(while :; do sleep 1234; done) & ${forever}`);
    const { execs } = layoutFor(host.stateDir, host.clusterId).container(id);
    const command = sh('sleep 4321 & while :; do sleep 1; done');
    const probe = runtime.execSync(id, command, 600_000);
    const terminal = await runtime.exec(id, { command, tty: true, stdin: true });
    terminal.stdout.resume();
    const counts = async () => {
      const { stdout } = await host.system.run('ps', ['-eo', 'args']);
      const count = (text: string) => stdout.split('\n').filter((line) => line === text).length;
      return { own: count('sleep 1234'), cut: count('sleep 4321') };
    };
    await until(async () => {
      const { own, cut } = await counts();
      return own === 1 && cut === 2;
    });
    expect(host.system.list(execs).length).toBeGreaterThan(0);
    runtime = await host.start();
    expect(await counts()).toEqual({ own: 1, cut: 0 });
    expect(host.system.list(execs)).toEqual([]);
    const { stdout } = await host.system.run('ps', ['-eo', 'args']);
    expect(stdout.split('\n').filter((line) => line.includes(`${execs}/`))).toEqual([]);
    expect((await probe).exitCode).toBe(137);
    expect(await terminal.exit).toBe(137);
    expect(await status(id)).toMatchObject({ state: 'running' });
    const said = await runtime.execSync(id, sh('exit 5'), 20_000);
    expect(said.exitCode).toBe(5);
  });

  it('tells what ended before it from what ends under its eyes', async () => {
    const id = await run(forever);
    const { conmon, init } = readRecord(recordOf(id)) as ContainerRecord;
    runtime.close();
    const pids = [conmon?.pid ?? 0, init?.pid ?? 0];
    for (const pid of pids) host.system.kill(pid, 'SIGKILL');
    await until(() => pids.every((pid) => (host.system.processState(pid) ?? 'Z') === 'Z'));
    runtime = await host.start();
    expect(await status(id)).toMatchObject({ exitCode: 137, endUnseen: true });
    await runtime.removeContainer(id);
    const next = await run('exit 3');
    await until(async () => (await status(next))?.state === 'exited');
    expect(await status(next)).not.toHaveProperty('endUnseen');
  });

  it('goes on after a reboot: what ran has ended unseen, its sandbox is not ready, another takes its place', async () => {
    const id = await run(forever);
    const sandboxId = (await status(id))?.sandboxId ?? '';
    const { conmon, init } = readRecord(recordOf(id)) as ContainerRecord;
    runtime.close();
    const layout = layoutFor(host.stateDir, host.clusterId);
    for (const process of [conmon, init]) host.system.kill(process?.pid ?? 0, 'SIGKILL');
    const groups = createCgroups(host.system);
    await until(() => groups.processes(layout.containerCgroup('a', id)).length === 0);
    // Mounts, what lies in /run and cgroups do not outlive the kernel.
    for (const { mountPoint } of host.system.mounts().toReversed())
      if ([layout.run, host.stateDir].some((path) => `${mountPoint}/`.startsWith(`${path}/`)))
        host.system.unmount(mountPoint);
    rmSync(layout.run, { recursive: true });
    groups.remove(layout.podCgroup('a'));
    runtime = await host.start();
    expect(await status(id)).toMatchObject({ state: 'exited', endUnseen: true });
    expect(await runtime.listSandboxes()).toMatchObject([{ id: sandboxId, state: 'notready' }]);
    const next = await runtime.runSandbox({ ...sandbox, attempt: 1 });
    expect(next).not.toBe(sandboxId);
    const logPath = join(host.folder, 'main.log');
    const parts = {
      name: 'main',
      attempt: 1,
      imageId: host.shell.id,
      command: sh(forever),
      logPath,
    };
    const again = await runtime.createContainer(next, sandbox, aContainer(parts));
    await runtime.startContainer(again);
    expect(await status(again)).toMatchObject({ state: 'running' });
    await runtime.removeSandbox(sandboxId);
    expect(await runtime.listContainers()).toMatchObject([{ id: again, state: 'running' }]);
  });

  it.each(['{"half', '', 'null', '{}', '[]', '{"id":"another","config":{}}'])(
    'drops a container whose record says %s, and ends it',
    async (text) => {
      const id = await run(forever);
      const pid = (await status(id))?.pid ?? 0;
      writeFileSync(recordOf(id), text);
      runtime = await host.start();
      expect(await runtime.listContainers()).toEqual([]);
      await until(() => (host.system.processState(pid) ?? 'Z') === 'Z');
    },
  );

  it('goes by what a record said before, where the agent died while it wrote', async () => {
    const id = await run(forever);
    const before = await status(id);
    appendFileSync(recordOf(id), `\n{"id":"${id}","phase":"exi`);
    runtime = await host.start();
    expect(await status(id)).toEqual(before);
    await runtime.stopContainer(id, 0);
    runtime = await host.start();
    expect(await status(id)).toMatchObject({ state: 'exited', exitCode: 137 });
  });

  it('drops a container of which neither its record nor runc can tell: its processes, cgroup and mounts go', async () => {
    const id = await run(forever);
    const pid = (await status(id))?.pid ?? 0;
    const layout = layoutFor(host.stateDir, host.clusterId);
    const { root, rootfs } = layout.container(id);
    writeFileSync(recordOf(id), '{');
    const ofRunc = join(layout.runcRoot, id);
    writeFileSync(join(ofRunc, 'state.json'), '{"half');
    runtime = await host.start();
    await until(() => (host.system.processState(pid) ?? 'Z') === 'Z');
    expect([ofRunc, root].filter((path) => host.system.exists(path))).toEqual([]);
    expect(host.system.mounts().map(({ mountPoint }) => mountPoint)).not.toContain(rootfs);
    const groups = createCgroups(host.system);
    expect(groups.usage(layout.containerCgroup('a', id))).toBeUndefined();
    expect(await status(await run(forever))).toMatchObject({ state: 'running' });
  });

  it.each(['{"half', 'null'])(
    'gives up a sandbox whose record says %s: what runs in it is known, another can be made',
    async (text) => {
      const id = await run(forever);
      const sandboxId = (await status(id))?.sandboxId ?? '';
      const { record, shm } = layoutFor(host.stateDir, host.clusterId).sandbox(sandboxId);
      writeFileSync(record, text);
      runtime = await host.start();
      expect(await runtime.listSandboxes('a')).toMatchObject([
        { id: sandboxId, state: 'notready' },
      ]);
      expect(host.system.mounts().map(({ mountPoint }) => mountPoint)).not.toContain(shm);
      expect(await runtime.listContainers('a')).toMatchObject([{ id, state: 'running' }]);
      await runtime.removeSandbox(sandboxId);
      expect(await runtime.listContainers()).toEqual([]);
      await run(forever);
      expect(await runtime.listContainers()).toMatchObject([{ state: 'running' }]);
    },
  );

  it('leaves nothing of a sandbox whose record is lost and that holds nothing', async () => {
    const sandboxId = await runtime.runSandbox(sandbox);
    const { record, root, shm } = layoutFor(host.stateDir, host.clusterId).sandbox(sandboxId);
    writeFileSync(record, '{');
    runtime = await host.start();
    expect(await runtime.listSandboxes()).toEqual([]);
    expect(host.system.exists(root)).toBe(false);
    expect(host.system.mounts().map(({ mountPoint }) => mountPoint)).not.toContain(shm);
  });
});
