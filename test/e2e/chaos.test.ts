// A storm over a node with a hundred pods: kill -9 of containers, conmons, the agent and the control plane, and cuts of the network
// between those two, drawn from a seed. A minute here; `npm run test:long` goes on for PINNACE_MINUTES (15 unless given).
// Invariant: afterwards all is as declared, no container ever ran beside its former self, and nothing is left on the host.
// A failure tells its seed; PINNACE_SEED draws the same strikes again.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Deployment, Pod } from '../../api/generated/types.ts';
import { findCondition } from '../../api/meta/conditions.ts';
import { seededRandom, systemRandom } from '../../base/random.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { buildPerlImage } from '../support/perl-image.ts';
import { FLEET, fleetObjects, ranTwice, SERVED, startsOf } from '../support/restless/fleet.ts';
import { differencesOnHost } from '../support/restless/host-pods.ts';
import { Storm } from '../support/restless/strikes.ts';

const LONG = process.env['PINNACE_LONG'] === '1';
const LONG_MS = Number(process.env['PINNACE_MINUTES'] ?? 15) * 60_000;
const SEED = Number(process.env['PINNACE_SEED'] ?? Math.floor(systemRandom.next() * 1e9));
/** One storm over one cluster. */
const STORM_MS = LONG ? 150_000 : 40_000;
/** How long all may take to be as declared. Generous: nothing is proved by it. */
const CEILING_MS = 240_000;
const REQUESTS = 20;

async function setUp(): Promise<{ cluster: TestCluster; marks: string }> {
  const cluster = await startTestCluster({ node: true });
  const marks = join(cluster.dataDir, 'marks');
  try {
    mkdirSync(marks);
    await buildPerlImage(cluster.host.system, cluster.paths.images);
    await cluster.kubectl.apply(fleetObjects(marks));
    await asDeclared(cluster);
  } catch (error) {
    await cluster.dispose();
    throw error;
  }
  return { cluster, marks };
}

/** Resolves once every pod of every Deployment is there and available; the API server may still be on its way back. */
async function asDeclared({ kubectl }: TestCluster): Promise<void> {
  const shortfalls = async () => {
    const { code, stdout, stderr } = await kubectl.run(['get', 'deploy', '-o', 'json']);
    if (code !== 0) return [stderr];
    const { items } = JSON.parse(stdout) as { items: Deployment[] };
    return items.flatMap(({ metadata: { name = '' }, status = {} }) => {
      const { replicas, readyReplicas, availableReplicas } = status;
      const counts = [replicas, readyReplicas, availableReplicas];
      return counts.every((count) => count === FLEET[name]) ? [] : [`${name}: ${counts.join()}`];
    });
  };
  await expect.poll(shortfalls, { timeout: CEILING_MS, interval: 500 }).toEqual([]);
}

/** Containers whose restart count is not the number of their starts: one too many was not told, one too few was made up. */
async function miscounted(cluster: TestCluster, marks: string): Promise<string[]> {
  const { items } = (await cluster.kubectl.json(['get', 'pods'])) as { items: Pod[] };
  const starts = startsOf(marks);
  return items.flatMap(({ metadata, spec, status }) => {
    const once = new Set(
      (spec?.initContainers ?? []).filter((c) => !c.restartPolicy).map((c) => c.name),
    );
    const told = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
    return told
      .filter(({ name }) => !once.has(name))
      .map(({ name, restartCount }) => ({
        name: `${metadata.uid} ${name}`,
        told: restartCount + 1,
        found: starts.get(`${metadata.uid}.${name}`),
      }))
      .filter(({ told: count, found }) => count !== found)
      .map(
        ({ name, told: count, found }) =>
          `${metadata.name} ${name}: ${found} starts, ${count} told`,
      );
  });
}

/** Living pods that do not say that they are Ready. */
async function unready({ kubectl }: TestCluster): Promise<string[]> {
  const { items } = (await kubectl.json(['get', 'pods'])) as { items: Pod[] };
  return items
    .filter(({ status }) => !/Succeeded|Failed/.test(status?.phase ?? ''))
    .filter(({ status }) => findCondition(status?.conditions, 'Ready')?.status !== 'True')
    .map(({ metadata }) => `${metadata.name} is not ready`);
}

/** What the Service answers when nothing is struck any more. */
async function answers(cluster: TestCluster): Promise<(number | undefined)[]> {
  const { spec } = await cluster.kubectl.json(['get', 'svc', SERVED]);
  const url = `http://${spec.clusterIP}/`;
  const ask = async () => (await cluster.request({ url, timeoutMs: 10_000 })).status;
  const all: (number | undefined)[] = [];
  for (let i = 0; i < REQUESTS; i += 1) all.push(await ask());
  return all;
}

async function weather(seed: number): Promise<void> {
  const { cluster, marks } = await setUp();
  const storm = new Storm(cluster, marks);
  try {
    await storm.rage(seededRandom(seed), STORM_MS);
    const endedAt = performance.now();
    await asDeclared(cluster);
    // What was struck last may not have been told by the first look: pods as they are told now are those of the host, and Ready.
    const amiss = async () => [...(await differencesOnHost(cluster)), ...(await unready(cluster))];
    await expect.poll(amiss, { timeout: CEILING_MS, interval: 500 }).toEqual([]);
    const seconds = ((performance.now() - endedAt) / 1000).toFixed(1);
    process.stdout.write(
      `chaos: ${storm.told.length} strikes; as declared ${seconds} s after the last\n`,
    );
    expect(ranTwice(marks)).toEqual([]);
    // A container that has just been started again says so a moment later.
    await expect.poll(() => miscounted(cluster, marks), { interval: 500 }).toEqual([]);
    expect(await answers(cluster)).toEqual(Array.from({ length: REQUESTS }, () => 200));
    expect(storm.told.length).toBeGreaterThan(STORM_MS / 3_000);
    await cluster.stop();
  } catch (error) {
    const { message } = error as Error;
    const told = storm.told.join('\n');
    throw new Error(`PINNACE_SEED=${seed}\n${told}\n${message}`, { cause: error });
  } finally {
    await cluster.dispose();
  }
}

describe('a storm over a hundred pods', () => {
  it('leaves all as declared, with nothing run twice and nothing left over', {
    timeout: LONG ? LONG_MS + 900_000 : 900_000,
  }, async () => {
    const startedAt = performance.now();
    let seed = SEED;
    do {
      await weather(seed);
      seed += 1;
    } while (LONG && performance.now() - startedAt < LONG_MS);
  });
});
