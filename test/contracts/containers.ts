// What runtimes with real containers owe besides the contract of runtime.ts: commands with live streams, terminals, attaching, logs that
// are reopened, users, memory that runs out, and life beyond a crash of the runtime. The containers have a shell.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type {
  ContainerConfig,
  ContainerRuntime,
  SandboxConfig,
} from '../../kubelet/runtime/runtime.ts';
import { aContainer, aSandbox } from '../support/runtime-configs.ts';
import { listenTo } from './runtime.ts';

/** A runtime under test. */
export interface ContainersUnderTest {
  readonly runtime: ContainerRuntime;
  /** An image with dash, and of coreutils cat, id, ls, sleep and stty; its user 1500 is of the groups 1600 and 1700. */
  readonly imageId: string;
  readonly folder: string;
  /** It may miss, at times, that memory ran out: one of several is enough. */
  readonly mayMissOom?: boolean;
  /** The runtime as an agent finds it that starts anew after all of it was killed; `meanwhile` is done in between. Containers run on. */
  restart(meanwhile?: () => Promise<void>): Promise<ContainerRuntime>;
  /** Ends everything; fails when something is left on the host. */
  dispose(): Promise<void>;
}

const CEILING_MS = 40_000;
const FOREVER = 'while :; do sleep 1; done';
/** Writes 64 KiB forty-eight times into a file of the container. */
const WRITES_3_MIB =
  'x=0123456789abcdef; i=0; while [ $i -lt 12 ]; do i=$((i+1)); x=$x$x; done; i=0; while [ $i -lt 48 ]; do i=$((i+1)); printf %s $x >> /big; done';
const sh = (script: string) => ['/bin/sh', '-c', script];

/** Runs the tests. `make` is called for each. */
export function containersContract(name: string, make: () => Promise<ContainersUnderTest>): void {
  describe(`containers of ${name}`, () => {
    let under: ContainersUnderTest;
    let runtime: ContainerRuntime;
    beforeEach(async () => {
      under = await make();
      runtime = under.runtime;
    });
    afterEach(() => under.dispose());

    const logOf = (container: string) => join(under.folder, 'logs', `${container}.log`);
    const config = (script: string, parts: Partial<ContainerConfig>): ContainerConfig => {
      const container = parts.name ?? 'main';
      const logPath = logOf(container);
      const base = { imageId: under.imageId, command: sh(script), logPath };
      return aContainer({ ...base, ...parts, name: container });
    };
    const run = async (
      script: string,
      parts: Partial<ContainerConfig> = {},
      pod: Partial<SandboxConfig> = {},
    ) => {
      const sandbox = aSandbox('a', { hostNetwork: true, ...pod });
      const sandboxId = await runtime.runSandbox(sandbox);
      const id = await runtime.createContainer(sandboxId, sandbox, config(script, parts));
      await runtime.startContainer(id);
      return id;
    };
    const say = async (id: string, script: string) => {
      const { exitCode, stdout, stderr } = await runtime.execSync(id, sh(script), CEILING_MS);
      return { exitCode, stdout: Buffer.from(stdout).toString(), stderr: String(stderr) };
    };
    const shows = (id: string, script: string, what: string) =>
      vi.waitFor(async () => expect((await say(id, script)).stdout).toContain(what), CEILING_MS);
    const logged = (container: string, pattern: RegExp) =>
      vi.waitFor(() => expect(readFileSync(logOf(container), 'utf8')).toMatch(pattern), {
        timeout: CEILING_MS,
        interval: 5,
      });

    it('give a command its output, its exit code and the environment', async () => {
      const id = await run(FOREVER, { env: [{ name: 'COLOUR', value: 'a b=c' }] });
      const said = await say(id, 'echo $COLOUR; echo no >&2; exit 9');
      expect(said).toMatchObject({ exitCode: 9, stdout: 'a b=c\n' });
    });

    it('kill a command that takes too long', async () => {
      const id = await run(FOREVER);
      const slow = runtime.execSync(id, ['/bin/sleep', '77'], 900);
      await expect(slow).rejects.toMatchObject({ reason: 'ExecTimeout' });
      expect((await say(id, 'cat /proc/[0-9]*/cmdline')).stdout).not.toContain('77');
    });

    it('pipe input to a command and tell its exit code', async () => {
      const id = await run(FOREVER);
      const command = sh('cat; echo done >&2; exit 3');
      const session = await runtime.exec(id, { command, tty: false, stdin: true });
      const outputs = [session.stdout, session.stderr].flatMap((stream) => stream ?? []).map(text);
      session.stdin?.end('x'.repeat(100_000));
      expect(await session.exit).toBe(3);
      const [out = '', err] = await Promise.all(outputs);
      expect([out.length, err]).toEqual([100_000, 'done\n']);
    });

    it('give all output of a command that is read more slowly than it is written', async () => {
      const id = await run(FOREVER);
      // A mebibyte, written as fast as the pipe takes it.
      const script =
        'x=0123456789abcdef; i=0; while [ $i -lt 16 ]; do i=$((i+1)); x=$x$x; done; printf %s $x; exit 2';
      const session = await runtime.exec(id, { command: sh(script), tty: false, stdin: false });
      const slowly = async () => {
        let size = 0;
        for await (const part of session.stdout as AsyncIterable<Buffer>) {
          size += part.length;
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        return size;
      };
      expect(await Promise.all([slowly(), session.exit])).toEqual([2 ** 20, 2]);
    });

    it('run a command on a terminal that can be resized', async () => {
      const id = await run(FOREVER);
      const session = await runtime.exec(id, { command: ['/bin/sh'], tty: true, stdin: true });
      const out = text(session.stdout);
      session.resize({ columns: 101, rows: 33 });
      // The size travels another way than what is typed: the shell waits until it has come.
      session.stdin?.write('until [ "$(stty size)" = "33 101" ]; do :; done; stty size; exit 5\n');
      expect(await session.exit).toBe(5);
      expect(await out).toMatch(/(^|\s)33 101\r?$/m);
    });

    it.each([false, true])('tell why a command cannot run (terminal: %s)', async (tty) => {
      const id = await run(FOREVER);
      const why = /exec failed: .*"nope": executable file not found in \$PATH/;
      const failing = async () => {
        const session = await runtime.exec(id, { command: ['nope'], tty, stdin: false });
        session.stdout.resume();
        session.stderr?.resume();
        return session.exit;
      };
      await expect(failing()).rejects.toMatchObject({
        reason: 'ExecError',
        message: expect.stringMatching(why) as string,
      });
      const sync = runtime.execSync(id, ['nope'], CEILING_MS);
      await expect(sync).rejects.toMatchObject({ reason: 'ExecError' });
    });

    it('let somebody attach to the process of the container', async () => {
      const script = 'read line; echo "got $line"; echo bad >&2; exit 4';
      const id = await run(script, { stdin: true, stdinOnce: true });
      const session = await runtime.attach(id, { stdin: true });
      const outputs = [session.stdout, session.stderr].flatMap((stream) => stream ?? []).map(text);
      session.stdin?.write('this\n');
      expect(await session.exit).toBe(4);
      expect(await Promise.all(outputs)).toEqual(['got this\n', 'bad\n']);
    });

    it('have a terminal where they ask for one', async () => {
      const id = await run('stty size; read line; echo "got $line"; exit 6', {
        tty: true,
        stdin: true,
      });
      const session = await runtime.attach(id, { stdin: true });
      expect(session.stderr).toBeUndefined();
      const out = text(session.stdout);
      session.stdin?.write('that\n');
      expect(await session.exit).toBe(6);
      expect(await out).toContain('got that');
    });

    it('go on in a new log file after the old one was moved away', async () => {
      const id = await run('i=0; while :; do i=$((i+1)); echo line $i; sleep 0.02; done');
      await logged('main', /line 1$/m);
      renameSync(logOf('main'), `${logOf('main')}.1`);
      await runtime.reopenLog(id);
      await logged('main', /line/);
      expect(readFileSync(`${logOf('main')}.1`, 'utf8')).toMatch(/line 1$/m);
      expect(readFileSync(logOf('main'), 'utf8')).not.toMatch(/line 1$/m);
    });

    it('run as the user and groups of the security context', async () => {
      const { security } = aContainer({ name: '', imageId: '', command: [], logPath: '' });
      const own = { ...security, runAsUser: 1500, supplementalGroups: [1800] };
      const id = await run(FOREVER, { security: { ...own, readOnlyRootfs: true } });
      const said = await say(id, 'id -u; id -g; id -G; echo x > /file || echo refused');
      expect(said.stdout).toBe('1500\n1600\n1600 1700 1800\nrefused\n');
      const user = { uid: 1500, gid: 1600, supplementalGroups: [1600, 1700, 1800] };
      expect(await runtime.containerStatus(id)).toMatchObject({ user });
    });

    it('drop capabilities, filter system calls and hide the host', async () => {
      const id = await run(FOREVER);
      const { stdout } = await say(id, 'cat /proc/self/status; echo "[$(cat /proc/kcore | cat)]"');
      expect(stdout).toMatch(/^CapEff:\s*00000000a80425fb$/m);
      expect(stdout).toMatch(/^Seccomp:\s*2$/m);
      expect(stdout).toContain('[]');
      expect((await say(id, 'echo 1 > /proc/sys/kernel/panic')).exitCode).not.toBe(0);
    });

    it('see volumes, read-only when asked, and the files of the pod', async () => {
      writeFileSync(join(under.folder, 'data'), 'content');
      const mount = { hostPath: join(under.folder, 'data'), readOnly: true };
      const id = await run(FOREVER, { mounts: [{ ...mount, containerPath: '/deep/er/data' }] });
      const script =
        'cat /deep/er/data /etc/hosts /etc/resolv.conf; echo x > /deep/er/data || echo refused';
      const { stdout } = await say(id, script);
      expect(stdout).toBe('content127.0.0.1 localhost\nnameserver 169.254.1.1\nrefused\n');
    });

    it('are called OOMKilled when they run out of memory', async () => {
      const events = listenTo(runtime);
      const resources = { memoryLimitBytes: 16 * 1024 * 1024 };
      const greedy = Array.from({ length: under.mayMissOom ? 5 : 1 }, (_, i) =>
        run('a=xxxxxxxx; while :; do a=$a$a; done', { resources, name: `greedy-${i}` }),
      );
      const ids = await Promise.all(greedy);
      const known = await Promise.any(ids.map((id) => events.next('oom', id)));
      await Promise.all(ids.map((id) => events.next('exited', id)));
      events.stop();
      const { containerId } = known;
      const status = await runtime.containerStatus(containerId);
      expect(status).toMatchObject({ exitCode: 137, reason: 'OOMKilled' });
    });

    it('are stopped by the signal that they name', async () => {
      const script = "trap 'exit 12' USR1; trap '' TERM; echo ready; while :; do sleep 0.02; done";
      const id = await run(script, { stopSignal: 'SIGUSR1' });
      await logged('main', /ready$/m);
      await runtime.stopContainer(id, CEILING_MS);
      expect(await runtime.containerStatus(id)).toMatchObject({ state: 'exited', exitCode: 12 });
    });

    it('share what the pod shares, and nothing with another pod', async () => {
      const first = await run(FOREVER, { name: 'one' });
      const second = await run(FOREVER, { name: 'two' });
      const third = await run(FOREVER, { name: 'three' }, { podUid: 'b', name: 'other' });
      await say(first, 'echo hello > /dev/shm/x');
      expect((await say(second, 'cat /dev/shm/x')).stdout).toBe('hello\n');
      expect((await say(third, 'cat /dev/shm/x')).exitCode).not.toBe(0);
      // A container has started a moment before its first process is its own program.
      await shows(second, 'cat /proc/1/cmdline', 'sleep 1');
    });

    it('see the processes of the pod where it shares them', async () => {
      const pod = { shareProcessNamespace: true };
      await run('sleep 4321', { name: 'one' }, pod);
      const id = await run(FOREVER, { name: 'two' }, pod);
      await shows(id, 'cat /proc/[0-9]*/cmdline', '4321');
    });

    it('tell what they have written into their own file system, and nothing of the image', async () => {
      const id = await run(`${WRITES_3_MIB}; ${FOREVER}`);
      const sizes = async () =>
        (await runtime.writableLayers?.([id, 'other'], 'bytes')) ?? new Map();
      await vi.waitFor(async () => expect((await sizes()).get(id)).toBeGreaterThan(3 * 2 ** 20), {
        timeout: CEILING_MS,
        interval: 50,
      });
      expect((await sizes()).get(id)).toBeLessThan(4 * 2 ** 20);
      expect([...(await sizes()).keys()]).toEqual([id]);
      const files = await runtime.writableLayers?.([id], 'inodes');
      expect(files?.get(id)).toBeGreaterThan(0);
    });

    it('are kept together to what the node has for all pods', async () => {
      await runtime.limitPods?.({ memoryLimitBytes: 2 ** 30, pidsLimit: 60 });
      const many =
        'i=0; while [ $i -lt 40 ]; do sleep 600 & i=$((i+1)); done; echo all of them; wait';
      await run(many, { name: 'first' });
      // Else it might be the first that finds no room.
      await logged('first', /all of them$/m);
      const events = listenTo(runtime);
      const second = await run(many, { name: 'second' }, { podUid: 'second', name: 'second' });
      await events.next('exited', second);
      events.stop();
      expect(readFileSync(logOf('second'), 'utf8')).toContain('Cannot fork');
    });

    it('tell of an end whether an agent saw it, to every later agent too', async () => {
      const events = listenTo(runtime);
      const seen = await run('exit 3', { name: 'seen' });
      await events.next('exited', seen);
      events.stop();
      const unseen = await run(FOREVER, { name: 'unseen' });
      const pid = (await runtime.containerStatus(unseen))?.pid ?? 0;
      const end = async () => {
        process.kill(pid, 'SIGKILL');
        await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow(), CEILING_MS);
      };
      for (const meanwhile of [end, undefined]) {
        runtime = await under.restart(meanwhile);
        const told = async (id: string) => (await runtime.containerStatus(id))?.endUnseen;
        await vi.waitFor(async () => {
          expect(await runtime.containerStatus(unseen)).toMatchObject({ state: 'exited' });
        }, CEILING_MS);
        expect([await told(seen), await told(unseen)]).toEqual([undefined, true]);
      }
    });

    it('run on when all of the runtime is killed, and their ends are known afterwards', async () => {
      const staying = await run(FOREVER, { name: 'staying' });
      const ending = await run('sleep 0.4; exit 7', { name: 'ending' });
      const before = await runtime.containerStatus(staying);
      runtime = await under.restart();
      const events = listenTo(runtime);
      expect(await runtime.containerStatus(staying)).toMatchObject({
        state: 'running',
        pid: before?.pid,
        startedAtMs: before?.startedAtMs,
      });
      const now = await runtime.containerStatus(ending);
      if (now?.state !== 'exited') await events.next('exited', ending);
      expect(await runtime.containerStatus(ending)).toMatchObject({ state: 'exited', exitCode: 7 });
      expect((await say(staying, 'echo still here')).stdout).toBe('still here\n');
      const sandbox = aSandbox('a', { hostNetwork: true });
      const sandboxId = await runtime.runSandbox(sandbox);
      const again = config(FOREVER, { name: 'staying' });
      expect(await runtime.createContainer(sandboxId, sandbox, again)).toBe(staying);
      events.stop();
    });
  });
}
