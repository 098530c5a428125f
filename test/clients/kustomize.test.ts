// Real kubectl and kustomizations: bases, overlays, patches, generators and components, applied, compared, pruned and deleted.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { KUBECTL_VERSIONS } from '../support/kubectl.ts';

const SOURCE = join(import.meta.dirname, 'kustomizations');

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster({ node: false });
});
afterAll(() => cluster?.stop());

for (const { version, binary, word } of KUBECTL_VERSIONS)
  describe(`kubectl ${version}`, () => {
    const ns = `prod-${word}`;
    const k = () => cluster.kubectl.with({ binary });
    let folder: string;
    const overlay = () => join(folder, 'prod');
    const edit = (from: string, to: string) => {
      const file = join(overlay(), 'kustomization.yaml');
      const text = readFileSync(file, 'utf8');
      expect(text).toContain(from);
      writeFileSync(file, text.replace(from, to));
    };
    const get = (what: string) => k().json(['get', what, '-n', ns]);
    const names = async (kinds: string) =>
      (await k().ok(['get', kinds, '-n', ns, '-l', 'place=prod', '-o', 'name'])).trim().split('\n');
    const settingsName = async () => {
      const { spec } = await get('deploy/big-shop');
      return spec.template.spec.containers[0].envFrom[0].configMapRef.name as string;
    };
    let firstSettings: string;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'pinnace-kustomize-'));
      cpSync(SOURCE, folder, { recursive: true });
      edit('namespace: prod', `namespace: ${ns}`);
      await k().ok(['create', 'namespace', ns]);
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    it('builds what the server takes as it is', async () => {
      const built = await k().ok(['kustomize', overlay()]);
      const dry = ['apply', '--dry-run=server', '--validate=strict', '-f', '-'];
      const said = await k().ok(dry, { input: built });
      expect(said.match(/created \(server dry run\)/g)).toHaveLength(5);
      expect(await names('deploy,svc,cm,secret,pdb')).toEqual(['']);
    });

    it('applies an overlay: prefix, replicas, images, labels and patches', async () => {
      await k().ok(['apply', '-k', overlay()]);
      const { metadata, spec } = await get('deploy/big-shop');
      expect(metadata.labels).toEqual({ 'app.kubernetes.io/part-of': 'shop', place: 'prod' });
      expect(spec.replicas).toBe(3);
      expect(spec.selector.matchLabels).toEqual({
        app: 'shop',
        'app.kubernetes.io/part-of': 'shop',
      });
      expect(spec.template.spec.containers).toEqual([
        expect.objectContaining({
          name: 'shop',
          image: 'registry.example.com/shop:7',
          resources: { limits: { memory: '64Mi' } },
        }),
      ]);
      expect((await get('svc/big-shop')).spec.ports).toEqual([
        { name: 'http', port: 8080, protocol: 'TCP', targetPort: 8080 },
      ]);
      expect((await get('pdb/big-shop')).spec.selector.matchLabels).toEqual({ app: 'shop' });
    });

    it('names what it generates by the content, and leads others to it', async () => {
      firstSettings = await settingsName();
      expect(firstSettings).toMatch(/^big-settings-[0-9a-z]{10}$/);
      expect((await get(`cm/${firstSettings}`)).data).toEqual({ colour: 'red', size: '2' });
      const [secret] = await names('secret');
      expect(secret).toMatch(/^secret\/big-key-[0-9a-z]{10}$/);
    });

    it('sees no difference to what it applied, and shows one that is to come', async () => {
      const same = await k().run(['diff', '-k', overlay()]);
      expect(same).toMatchObject({ code: 0, stdout: '' });
      edit('literals: [size=2]', 'literals: [size=3]');
      edit('count: 3', 'count: 4');
      const diff = await k().run(['diff', '-k', overlay()]);
      expect(diff.code).toBe(1);
      expect(diff.stdout).toMatch(/^-  replicas: 3\n\+  replicas: 4$/m);
      expect(diff.stdout).toMatch(/^\+  size: "3"$/m);
      expect((await get('deploy/big-shop')).spec.replicas).toBe(3);
    });

    it('brings new content under a new name, and prunes the old one where it is told to', async () => {
      const before = (await get('deploy/big-shop')).metadata.generation;
      await k().ok(['apply', '-k', overlay()]);
      const name = await settingsName();
      expect(name).not.toBe(firstSettings);
      expect((await get(`cm/${name}`)).data).toMatchObject({ size: '3' });
      expect((await get('deploy/big-shop')).metadata.generation).toBeGreaterThan(before);
      expect(new Set(await names('cm'))).toEqual(
        new Set([`configmap/${firstSettings}`, `configmap/${name}`]),
      );
      const prune = ['--prune', '-l', 'place=prod', '--prune-allowlist=core/v1/ConfigMap'];
      expect(await k().ok(['apply', '-k', overlay(), ...prune, '-n', ns])).toContain(
        `configmap/${firstSettings} pruned`,
      );
      expect(await names('cm')).toEqual([`configmap/${name}`]);
    });

    it('takes over on the server, and keeps what it applied there', async () => {
      const said = await k().ok(['apply', '--server-side', '-k', overlay()]);
      expect(said.match(/serverside-applied/g)).toHaveLength(5);
      const { metadata } = await k().json([
        'get',
        'deploy/big-shop',
        '-n',
        ns,
        '--show-managed-fields',
      ]);
      expect(metadata.managedFields).toContainEqual(
        expect.objectContaining({ manager: 'kubectl', operation: 'Apply' }),
      );
      const same = await k().run(['diff', '--server-side', '-k', overlay()]);
      expect(same).toMatchObject({ code: 0, stdout: '' });
    });

    it('deletes all of it', async () => {
      await k().ok(['delete', '-k', overlay()]);
      expect(await names('deploy,svc,cm,secret,pdb')).toEqual(['']);
    });
  });
