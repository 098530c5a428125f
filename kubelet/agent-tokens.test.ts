// Tokens in pods' volumes, by the whole agent on the fake runtime against a whole API server: there from the start, renewed
// in time, and gone with the pod.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../base/clock.ts';
import { VirtualClock } from '../base/virtual-clock.ts';
import type { Pod } from '../api/generated/types.ts';
import { ConfigMaps, Pods } from '../api/kinds.ts';
import { AgentScene, statusOf } from '../test/support/agent-scene.ts';
import { until } from '../test/support/until.ts';

const namespace = 'default';
/** Four fifths of the shortest life that a token may have. */
const DUE_MS = 480_000;

let clock: VirtualClock;
let scene: AgentScene;
beforeEach(async () => {
  clock = new VirtualClock(systemClock.now());
  scene = await AgentScene.open({ clock, automountServiceAccountToken: true });
});
afterEach(() => scene.close());

const folderOf = (pod: Pod, volume: string) =>
  join(scene.dataDir, 'pods', pod.metadata.uid ?? '', volume);
/** Waits with time going on in small steps. */
const untilThen = (condition: () => boolean | Promise<boolean>) =>
  until(async () => {
    await clock.advance(100);
    return await condition();
  });

it('a token is renewed before it ends, and what it was for is gone with the pod', async () => {
  await scene.client.resource(ConfigMaps).create({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace, name: 'kube-root-ca.crt' },
    data: { 'ca.crt': 'PEM' },
  });
  const short = { serviceAccountToken: { path: 'short', expirationSeconds: 600 } };
  const pod = await scene.createPod('p', {
    volumes: [{ name: 'own', projected: { sources: [short] } }],
  });
  const file = join(folderOf(pod, 'own'), 'short');
  await untilThen(() => existsSync(file));
  const first = readFileSync(file, 'utf8');
  await clock.advance(DUE_MS);
  await untilThen(() => readFileSync(file, 'utf8') !== first);
  expect(readFileSync(file, 'utf8').split('.')).toHaveLength(3);
  await scene.client.resource(Pods).delete({ namespace, name: 'p' }, { gracePeriodSeconds: 0 });
  await untilThen(() => !existsSync(folderOf(pod, 'own')));
});

it('a pod that comes before the certificate of its namespace starts when that is there', async () => {
  const pod = await scene.createPod('p');
  const name = pod.spec?.volumes?.[0]?.name ?? '';
  const now = () => scene.getPod('p');
  await untilThen(async () => statusOf(await now())?.state?.waiting !== undefined);
  await scene.client.resource(ConfigMaps).create({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace, name: 'kube-root-ca.crt' },
    data: { 'ca.crt': 'PEM' },
  });
  await untilThen(async () => (await now()).status?.phase === 'Running');
  const read = (file: string) => readFileSync(join(folderOf(pod, name), file), 'utf8');
  expect([read('ca.crt'), read('namespace')]).toEqual(['PEM', namespace]);
});
