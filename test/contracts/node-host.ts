// The contract of NodeHost: what an agent may rely on, whether its host is a real one or lies in memory.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../base/virtual-clock.ts';
import type { Pod } from '../../api/generated/types.ts';
import type { NodeHost } from '../../kubelet/host/node-host.ts';
import { LogNotFound } from '../../kubelet/logs/pod-logs.ts';
import type { LogWriter } from '../../kubelet/runtime/fake/log-writer.ts';

/** A host under test. */
export interface HostUnderTest {
  readonly host: NodeHost;
  /** Writes logs where the host reads them. */
  readonly writer: LogWriter;
  /** What a volume of a pod shows. */
  contentOf(path: string, podUid: string, volume: string): Readonly<Record<string, string>>;
  dispose(): void;
}

const aPod = (name: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace: 'shop', name, uid: `uid-of-${name}`, resourceVersion: '1' },
  spec: { containers: [{ name: 'app', image: 'app:1' }] },
});

const file = (path: string, text: string) => ({ path, content: Buffer.from(text), mode: 0o644 });

/** Runs the contract. `make` is called for each test. */
export function nodeHostContract(name: string, make: () => HostUnderTest): void {
  describe(`node host: ${name}`, () => {
    let under: HostUnderTest;
    let host: NodeHost;
    beforeEach(() => {
      under = make();
      host = under.host;
    });
    afterEach(() => under.dispose());

    it('tells what it is, in the form that Nodes show it', () => {
      const facts = host.prepare();
      expect(facts.cpus).toBeGreaterThan(0);
      expect(facts.memoryBytes).toBeGreaterThan(0);
      expect(facts.storageBytes).toBeGreaterThan(0);
      expect(facts.architecture).toMatch(/^[a-z0-9]+$/);
    });

    it('tells what of it is in use, in figures that fit together', async () => {
      const { storageBytes, memoryBytes } = host.prepare();
      const disk = host.usage.fileSystem();
      expect(disk.capacityBytes).toBe(storageBytes);
      expect(disk.availableBytes).toBeLessThanOrEqual(disk.capacityBytes);
      expect(disk.inodesFree).toBeLessThanOrEqual(disk.inodes);
      const memory = host.usage.memory();
      expect(memory.capacityBytes).toBe(memoryBytes);
      expect(memory.availableBytes).toBeGreaterThan(0);
      expect(memory.availableBytes).toBeLessThanOrEqual(memory.capacityBytes);
      const processes = host.usage.processes();
      if (processes) expect(processes.running).toBeLessThan(processes.most);
      const nobody = await host.usage.of(aPod('nobody'), 'bytes');
      expect([...nobody.logs.values(), ...nobody.volumes.values()].every((n) => n === 0)).toBe(
        true,
      );
    });

    it('keeps pods until they are over, or nobody knows them', () => {
      host.prepare();
      const [web, db] = [aPod('web'), aPod('db')];
      for (const pod of [web, db, web]) host.checkpoints.save(pod);
      const names = () => host.checkpoints.load().map(({ metadata }) => metadata.name);
      expect(new Set(names())).toEqual(new Set(['db', 'web']));
      expect(host.checkpoints.load()).toContainEqual(web);
      host.checkpoints.forget('uid-of-db');
      expect(names()).toEqual(['web']);
      host.checkpoints.tidy((uid) => uid !== 'uid-of-web');
      expect(names()).toEqual([]);
    });

    it('keeps the last note of pulls, and has none before', () => {
      host.prepare();
      expect(host.pullNotes.read()).toBeUndefined();
      host.pullNotes.write('one');
      host.pullNotes.write('two');
      expect(host.pullNotes.read()).toBe('two');
    });

    it('shows the files of a volume, all of the last time and none of before', () => {
      host.prepare();
      const at = { podUid: 'uid-of-web', volume: 'config' };
      const how = { secret: false, group: undefined };
      expect(host.volumes.hasFiles(at)).toBe(false);
      host.volumes.write(at, [file('a', '1'), file('b', '2')], how);
      const path = host.volumes.write(at, [file('a', '3')], how);
      expect(path).toBe(host.volumes.pathOf(at));
      expect(under.contentOf(path, at.podUid, at.volume)).toEqual({ a: '3' });
      expect(host.volumes.hasFiles(at)).toBe(true);
    });

    it('removes what is there of a pod, and of no other', async () => {
      host.prepare();
      const spec = { inMemory: false, sizeBytes: 0, group: undefined };
      for (const podUid of ['a', 'b']) host.volumes.emptyDir({ podUid, volume: 'data' }, spec);
      expect(new Set(host.volumes.podUids())).toEqual(new Set(['a', 'b']));
      expect(host.volumes.hasFiles({ podUid: 'a', volume: 'data' })).toBe(false);
      await host.volumes.remove('a');
      await host.volumes.remove('nobody');
      expect(host.volumes.podUids()).toEqual(['b']);
    });

    it('lets no part of a volume lead out of it', async () => {
      host.prepare();
      const root = host.volumes.emptyDir(
        { podUid: 'a', volume: 'data' },
        { inMemory: false, sizeBytes: 0, group: undefined },
      );
      const part = { podUid: 'a', container: 'app', index: 0, root };
      await expect(host.volumes.subPath({ ...part, inside: '../../etc' })).rejects.toThrow(
        /leads out of its volume/,
      );
    });

    it('gives a log whole, by its last lines, and none that is not there', async () => {
      host.prepare();
      const path = host.logs.pathOf(aPod('web'), 'app', 0);
      expect(host.logs.pathOf(aPod('web'), 'app', 1)).not.toBe(path);
      await expect(read(host, path)).rejects.toThrow(LogNotFound);
      under.writer.begin(path);
      expect(await read(host, path)).toEqual([]);
      for (const line of ['one', 'two', 'three']) under.writer.append(path, line);
      expect(await read(host, path)).toEqual(['one', 'two', 'three']);
      expect(await read(host, path, 2)).toEqual(['two', 'three']);
      expect(await read(host, path, 0)).toEqual([]);
      under.writer.begin(path);
      expect(await read(host, path)).toEqual([]);
    });

    it('follows a log until nothing more is written', async () => {
      host.prepare();
      const path = host.logs.pathOf(aPod('web'), 'app', 0);
      under.writer.begin(path);
      under.writer.append(path, 'one');
      let grows = true;
      const ending = new AbortController();
      const follow = { clock: new VirtualClock(), signal: ending.signal, grows: () => grows };
      const seen: string[] = [];
      for await (const lines of host.logs.lines(path, { follow })) {
        seen.push(...lines.map((line) => Buffer.from(line).toString()));
        if (seen.length === 1) under.writer.append(path, 'two');
        else grows = false;
      }
      expect(seen).toEqual(['one', 'two']);
    });

    it('ends a followed log with its reader', async () => {
      host.prepare();
      const path = host.logs.pathOf(aPod('web'), 'app', 0);
      under.writer.begin(path);
      const ending = new AbortController();
      const clock = new VirtualClock();
      const follow = { clock, signal: ending.signal, grows: () => true };
      const lines = host.logs.lines(path, { follow })[Symbol.asyncIterator]();
      const next = lines.next();
      ending.abort(new Error('enough'));
      expect((await next).done).toBe(true);
      expect(clock.pendingTimers).toBe(0);
    });

    it('removes the logs of a pod, and those of pods that nobody knows', async () => {
      host.prepare();
      const paths = ['web', 'db', 'old'].map((each) => host.logs.pathOf(aPod(each), 'app', 0));
      for (const path of paths) under.writer.begin(path);
      await host.logs.remove(aPod('web'));
      await host.logs.remove(aPod('nobody'));
      host.logs.tidy((uid) => uid === 'uid-of-db');
      const there = await Promise.all(
        paths.map((path) =>
          read(host, path).then(
            () => true,
            () => false,
          ),
        ),
      );
      expect(there).toEqual([false, true, false]);
    });
  });
}

async function read(host: NodeHost, path: string, tailLines?: number): Promise<string[]> {
  const texts: string[] = [];
  for await (const lines of host.logs.lines(path, { tailLines }))
    texts.push(...lines.map((line) => Buffer.from(line).toString()));
  return texts;
}
