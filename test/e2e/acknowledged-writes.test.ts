// kill -9 of the control plane in the middle of writes, again and again: what was acknowledged is there afterwards.
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { until } from '../support/until.ts';

const KILLS = 3;
/** Writes acknowledged between two kills. */
const WRITES_BETWEEN = 200;

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster({ node: false });
});
afterAll(() => cluster?.stop());

describe('kill -9 of the control plane in mid-write', () => {
  it('loses no acknowledged write', { timeout: 120_000 }, async () => {
    const program = join(import.meta.dirname, '../support/writer.ts');
    const writer = cluster.host.start(process.execPath, [program, cluster.kubeconfig]);
    const acknowledged: string[] = [];
    let reached: (() => void) | undefined;
    let goal = 0;
    createInterface({ input: writer.stdout ?? process.stdin }).on('line', (name) => {
      acknowledged.push(name);
      if (acknowledged.length >= goal) reached?.();
    });
    const more = (count: number) =>
      new Promise<void>((resolve) => {
        goal = acknowledged.length + count;
        reached = resolve;
      });
    for (let kill = 0; kill < KILLS; kill++) {
      await more(WRITES_BETWEEN);
      const pid = cluster.pidOf('control-plane');
      process.kill(pid ?? Number.NaN, 'SIGKILL');
      // What was acknowledged before is read meanwhile: the next writes are those of another process.
      await until(() => ![undefined, pid].includes(cluster.pidOf('control-plane')));
    }
    await more(WRITES_BETWEEN);
    const ended = new Promise<void>((resolve) => writer.once('close', () => resolve()));
    writer.stdin?.end();
    await ended;
    const names = await cluster.kubectl.ok([
      'get',
      'cm',
      '-o',
      'jsonpath={.items[*].metadata.name}',
    ]);
    const present = new Set(names.split(' '));
    expect(acknowledged.length).toBeGreaterThanOrEqual((KILLS + 1) * WRITES_BETWEEN);
    expect(acknowledged.filter((name) => !present.has(name))).toEqual([]);
  });
});
