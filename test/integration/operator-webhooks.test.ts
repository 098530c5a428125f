// Operators with webhooks as whole programs: kinds of several versions are installed, converted, checked and reconciled.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  allow,
  controllerFor,
  converting,
  defineKind,
  deny,
  validating,
  webhookServer,
} from 'pinnace/controllers';
import { z } from 'zod';
import { ValidatingWebhookConfigurations } from '../../api/kinds.ts';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { systemRandom } from '../../base/random.ts';
import { operate } from '../../controllers/framework/operator/operate.ts';
import { startCluster, type TestCluster } from '../../testing/index.ts';
import { until } from '../support/until.ts';

const names = { group: 'test.local', kind: 'Timer' } as const;
const OldTimers = defineKind({
  ...names,
  version: 'v1',
  spec: z.object({ minutes: z.int32() }),
});
const Timers = defineKind({
  ...names,
  version: 'v2',
  spec: z.object({ seconds: z.int32() }),
  // So that what the controller reads needs the webhook, at the next start too.
  storageVersion: 'v1',
  versions: [
    {
      kind: OldTimers,
      up: (old) => ({ spec: { seconds: old.spec.minutes * 60 } }),
      down: (now) => ({ spec: { minutes: now.spec.seconds / 60 } }),
    },
  ],
});

let cluster: TestCluster;
let folder: string;
const endings: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'operator-webhooks-'));
  cluster = await startCluster({ controllers: 'none', scheduler: false });
});
afterEach(async () => {
  for (const end of endings.splice(0)) await end();
  await cluster.close();
  rmSync(folder, { recursive: true });
});

async function start(seen: string[]): Promise<() => Promise<void>> {
  const positive = validating(Timers, {
    admit: ({ object }) =>
      object.spec.seconds > 0 ? allow() : deny('spec.seconds: give more than 0'),
  });
  const webhooks = webhookServer({
    name: 'timers',
    webhooks: [positive, converting(Timers, Timers.converters)],
    host: '127.0.0.1',
    port: 0,
  });
  const controller = controllerFor(Timers).reconcile(({ metadata }) => {
    seen.push(metadata.name ?? '');
    return Promise.resolve();
  });
  const { kubeconfig } = await cluster.listen();
  const stop = new AbortController();
  const doors = { clock: systemClock, random: systemRandom, logger: silentLogger };
  const running = operate(
    { name: 'timers', controllers: [controller], kinds: [Timers], webhooks },
    { ...doors, environment: { KUBECONFIG: kubeconfig }, home: folder, hostname: 'here' },
    stop.signal,
  );
  const end = async () => {
    stop.abort(new Error('the test is over'));
    await running;
  };
  endings.push(end);
  return end;
}

describe('an operator with webhooks', () => {
  it('has its kinds converted and checked before its controllers begin, and after it started again', async () => {
    const seen: string[] = [];
    const end = await start(seen);
    const [now, old] = [cluster.client.resource(Timers), cluster.client.resource(OldTimers)];
    const oldTimer = (name: string, minutes: number) =>
      OldTimers.object({ metadata: { name, namespace: 'default' }, spec: { minutes } });
    const create = (name: string, minutes: number) => old.create(oldTimer(name, minutes));
    // Served once the kind is installed, and converted once the webhooks are there.
    await until(() => create('tea', 5).then(Boolean, () => false));
    const tea = { namespace: 'default', name: 'tea' };
    await until(() =>
      now.get(tea).then(
        ({ spec }) => spec.seconds === 300,
        () => false,
      ),
    );
    // Controllers begin once every webhook is known.
    await until(() => seen.includes('tea'));
    await expect(create('none', 0)).rejects.toThrow('spec.seconds: give more than 0');
    await end();
    // What is stored while nobody converts cannot be read by the controllers before the webhook is back.
    const configurations = cluster.client.resource(ValidatingWebhookConfigurations);
    await configurations.delete({ name: 'timers' });
    await create('egg', 4);
    await expect(now.list()).rejects.toThrow('conversion webhook for test.local/v1');
    await start(seen);
    await until(() => seen.includes('egg'));
    expect(await old.get(tea)).toMatchObject({ spec: { minutes: 5 } });
    await expect(create('none', 0)).rejects.toThrow('spec.seconds: give more than 0');
  });

  it('stops while it is still being prepared', async () => {
    const end = await start([]);
    await end();
    endings.length = 0;
  });
});
