// The webhooks of examples/04-webhooks in a whole cluster; and the guide, whose code is theirs.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigMaps, type Pod, Pods } from 'pinnace/client';
import { installKinds, type StartedPart, startPart, webhookServer } from 'pinnace/controllers';
import { startCluster, type TestCluster } from 'pinnace/testing';
import { ImageRules, OldImageRules } from '../../examples/04-webhooks/kind.ts';
import {
  allowedImages,
  imageRuleVersions,
  namedRegistries,
} from '../../examples/04-webhooks/webhooks.ts';
import { until } from '../support/until.ts';

let cluster: TestCluster;
let part: StartedPart;
beforeEach(async () => {
  cluster = await startCluster({ controllers: 'none', scheduler: false });
  for (const namespace of ['default', 'kube-system'])
    await cluster.apply({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'default', namespace },
    });
  const server = webhookServer({
    name: 'image-rules',
    webhooks: [namedRegistries, allowedImages, imageRuleVersions],
    host: '127.0.0.1',
    port: 0,
  });
  await installKinds(cluster.client, [ImageRules], { conversion: server.conversion });
  part = startPart(server, { ...cluster, namespace: 'default' });
  await part.ready;
});
afterEach(async () => {
  await part.stop();
  await cluster.close();
});

const pods = () => cluster.client.resource(Pods);
const aPod = (name: string, image: string, namespace = 'default'): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace },
  spec: { containers: [{ name: 'main', image }] },
});
const rule = { name: 'rule', namespace: 'default' };

describe('examples/04-webhooks', () => {
  it('names the registry of images that name none, and refuses those from elsewhere', async () => {
    const before = await pods().create(aPod('before', 'evil.example/a:1'));
    expect(before.spec?.containers[0]?.image).toBe('evil.example/a:1');
    const spec = { registries: ['registry.local:5000', 'quay.example'] };
    await cluster.client.resource(ImageRules).create(ImageRules.object({ metadata: rule, spec }));
    // The webhooks' cache hears of the rule a moment later.
    let made = 0;
    const refusal = () =>
      pods()
        .create(aPod(`evil-${made++}`, 'evil.example/a:1'))
        .then(
          () => undefined,
          (error: unknown) => error,
        );
    await until(async () => (await refusal()) !== undefined);
    expect(await refusal()).toMatchObject({
      code: 422,
      message:
        'admission webhook "validate.pods.core" denied the request: images have to come from registry.local:5000 or quay.example',
      details: {
        causes: [
          { field: 'spec.containers[0].image', message: 'evil.example/a:1 is from elsewhere' },
        ],
      },
    });
    const named = await pods().create(aPod('named', 'shop/web:2'));
    expect(named.spec?.containers[0]?.image).toBe('registry.local:5000/shop/web:2');
    const kept = await pods().create(aPod('kept', 'quay.example/web:2'));
    expect(kept.spec?.containers[0]?.image).toBe('quay.example/web:2');
    await pods().create(aPod('own', 'evil.example/a:1', 'kube-system'));
  });

  it('serves rules in both versions', async () => {
    const old = cluster.client.resource(OldImageRules);
    await old.create(OldImageRules.object({ metadata: rule, spec: { registries: 'a.io,b.io' } }));
    const now = await cluster.client.resource(ImageRules).get(rule);
    expect(now.spec.registries).toEqual(['a.io', 'b.io']);
    expect((await old.get(rule)).spec.registries).toBe('a.io,b.io');
  });

  it('is not about anything else', async () => {
    const metadata = { name: 'a', namespace: 'default' };
    await part.stop();
    await cluster.client
      .resource(ConfigMaps)
      .create({ apiVersion: 'v1', kind: 'ConfigMap', metadata });
    // While the program is away, pods wait for it.
    await expect(pods().create(aPod('a', 'a:1'))).rejects.toMatchObject({ code: 500 });
  });
});

describe('examples/04-webhooks as a program', () => {
  it('serves until it is told to end', async () => {
    await part.stop();
    const { kubeconfig } = await cluster.listen();
    const program = spawn(process.execPath, ['examples/04-webhooks/main.ts'], {
      env: { ...process.env, KUBECONFIG: kubeconfig, PORT: '0' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const ended = once(program, 'exit');
    let errors = '';
    program.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    try {
      const create = pods().create.bind(pods());
      const isServed = async () => {
        if (program.exitCode !== null) throw new Error(errors);
        return create(aPod('a', 'a:1')).then(Boolean, () => false);
      };
      await until(isServed);
    } finally {
      program.kill('SIGTERM');
    }
    expect(await ended).toEqual([0, null]);
  });
});

/** Code with its spaces as one each: a guide indents less, and shows parts. */
const plain = (code: string) => code.replaceAll(/\s+/g, ' ').trim();

describe('docs/guide/webhooks.md', () => {
  it('shows code that runs: each block is a part of the example or of this test', () => {
    const sources = [
      'examples/04-webhooks/kind.ts',
      'examples/04-webhooks/webhooks.ts',
      'examples/04-webhooks/main.ts',
    ]
      .concat('test/integration/example-webhooks.test.ts')
      .map((path) => plain(readFileSync(path, 'utf8')));
    const guide = readFileSync('docs/guide/webhooks.md', 'utf8');
    const blocks = [...guide.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => plain(code));
    expect(blocks.length).toBeGreaterThan(3);
    for (const block of blocks)
      expect(
        sources.some((source) => source.includes(block)),
        block,
      ).toBe(true);
  });
});
