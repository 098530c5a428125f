// Real kubectl on the sample definitions of crds/: applied, explained, listed by their columns, applied by servers' rules, and
// written through their subresources.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { largeDefinition, largeInstance } from '../../tools/bench/large-definition.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { type Sample, samples } from '../support/samples.ts';

const SAMPLES = samples();

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster({ node: false });
  await k().ok(['apply', ...SAMPLES.flatMap(({ files }) => ['-f', files.definition])]);
  await k().wait('--for=condition=Established', 'crd', '--all');
});
afterAll(() => cluster?.stop());

const k = () => cluster.kubectl;
const plural = ({ definition: { spec } }: Sample) => `${spec.names.plural}.${spec.group}`;
const named = (name: string): Sample => {
  const found = SAMPLES.find((sample) => sample.name === name);
  if (!found) throw new Error(`there is no sample ${name}`);
  return found;
};

describe.each(SAMPLES.map((sample) => [sample.name, sample] as const))(
  'The sample %s',
  (_, sample) => {
    const { files, definition, right, wrong } = sample;
    const { names } = definition.spec;

    const revision = async () =>
      (await k().json(['get', '-f', files.right])).metadata.resourceVersion as string;

    it('is applied and found unchanged, by the client’s rules and by the server’s', async () => {
      expect(await k().ok(['apply', '-f', files.right])).toMatch(/ created$/m);
      const created = await revision();
      // Where a default stands in a list, the client sends the list without it, and calls that a change; the server does not.
      expect(await k().ok(['apply', '-f', files.right])).toMatch(/ (unchanged|configured)$/m);
      expect(await revision()).toBe(created);
      const serverSide = ['apply', '--server-side', '--force-conflicts', '-f', files.right];
      expect(await k().ok(serverSide)).toMatch(/ serverside-applied$/m);
      const applied = await revision();
      await k().ok(serverSide);
      expect(await revision()).toBe(applied);
    });

    it('is refused where it is wrong, as the files say', async () => {
      for (const { file, errors } of wrong) {
        const { code, stderr } = await k().run(['apply', '-f', file]);
        expect(code).toBe(1);
        for (const error of errors) expect(stderr).toContain(error);
      }
    });

    it('is listed by its columns, under each of its names', async () => {
      const version = definition.spec.versions.find(({ storage }) => storage);
      const columns = version?.additionalPrinterColumns ?? [];
      const { name } = (parse(right) as { metadata: { name: string } }).metadata;
      const wide = await k().ok(['get', plural(sample), '-o', 'wide']);
      const [head = ''] = wide.split('\n');
      expect(head.trim().split(/ {2,}/)).toEqual([
        'NAME',
        ...columns.map((column) => column.name.toUpperCase()),
      ]);
      const [narrow = ''] = (await k().ok(['get', plural(sample)])).split('\n');
      expect(narrow.trim().split(/ {2,}/)).toEqual([
        'NAME',
        ...columns.filter(({ priority }) => !priority).map((column) => column.name.toUpperCase()),
      ]);
      for (const other of [...(names.shortNames ?? []), ...(names.categories ?? [])])
        expect(await k().ok(['get', other, '-o', 'name'])).toContain(`/${name}`);
    });

    it('is explained with every field', async () => {
      const version = definition.spec.versions.find(({ storage }) => storage);
      const api = `--api-version=${definition.spec.group}/${version?.name}`;
      const all = await k().ok(['explain', names.plural, '--recursive', api]);
      expect(all).toContain(`KIND:       ${names.kind}`);
      const schema = version?.schema?.openAPIV3Schema;
      for (const field of fieldsOf(schema)) expect(all).toMatch(new RegExp(`^ +${field}\\t<`, 'm'));
    });
  },
);

/** Names of all fields of a schema, whatever their depth. */
function fieldsOf(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const { properties = {}, items, additionalProperties } = schema as Record<string, object>;
  return [
    ...Object.entries(properties).flatMap(([name, part]) => [name, ...fieldsOf(part)]),
    ...fieldsOf(items),
    ...fieldsOf(additionalProperties),
  ];
}

describe('Objects of the samples', () => {
  it('have a status of their own, which the rest does not touch', async () => {
    const condition =
      '{"type":"Ready","status":"True","lastTransitionTime":"2026-01-01T00:00:00Z"}';
    const status = `{"spec":{"secretName":"other"},"status":{"conditions":[${condition}],"notAfter":"2126-01-01T00:00:00Z"}}`;
    const patch = ['patch', 'tcert', 'shop', '--type=merge', '--subresource=status', '-p'];
    await k().ok([...patch, status]);
    const found = await k().json(['get', 'tcert', 'shop', '--subresource=status']);
    expect(found).toMatchObject({
      spec: { secretName: 'shop-tls' },
      status: { conditions: [{ type: 'Ready' }] },
    });
    const row = await k().ok(['get', 'tcert', 'shop', '--no-headers', '-o', 'wide']);
    expect(row).toMatch(/^shop +True +shop-tls +letters +shop\.example\.com +.* 4096/);
    const refused = await k().run([...patch, '{"status":{"digest":"not base64"}}']);
    expect(refused.stderr).toContain('status.digest: Invalid value: "not base64"');
  });

  it('are scaled where their definition says, and tell their scale', async () => {
    await k().ok(['scale', 'pulse/queue', '--replicas=4']);
    expect(await k().json(['get', 'pulse', 'queue', '--subresource=scale'])).toMatchObject({
      kind: 'Scale',
      spec: { replicas: 4 },
      status: { replicas: 0 },
    });
    expect((await k().json(['get', 'pulse', 'queue'])).spec).toMatchObject({
      idle: { replicas: 4 },
    });
  });

  it('are selected by the fields that their definition names', async () => {
    const by = (selector: string) =>
      k().run(['get', 'tcert', '--field-selector', selector, '-o', 'name']);
    expect((await by('spec.issuer.name=letters')).stdout).toMatch(/\/shop/);
    expect((await by('spec.isAuthority=true')).stdout).toBe('');
    expect((await by('spec.commonName=shop.example.com')).stderr).toMatch(
      /field label not supported/,
    );
  });

  it('are owned item by item where lists have keys, and as a whole where they are atomic', async () => {
    const apply = (manager: string, spec: object) =>
      k().run(['apply', '--server-side', `--field-manager=${manager}`, '-f', '-'], {
        input: JSON.stringify({
          apiVersion: 'traffic.example.com/v1',
          kind: 'Lane',
          metadata: { name: 'shared' },
          spec: { className: 'fast', ...spec },
        }),
      });
    const listener = (name: string, port: number) => ({ name, port, protocol: 'HTTP' });
    const first = await apply('one', {
      listeners: [listener('a', 80)],
      addresses: [{ value: '192.0.2.1' }],
    });
    expect(first).toMatchObject({ code: 0 });
    expect(await apply('two', { listeners: [listener('b', 81)] })).toMatchObject({ code: 0 });
    const { spec } = await k().json(['get', 'lane', 'shared']);
    expect((spec as { listeners: object[] }).listeners).toHaveLength(2);
    const fight = await apply('two', {
      listeners: [listener('b', 81)],
      addresses: [{ value: '192.0.2.2' }],
    });
    expect(fight.stderr).toMatch(/conflict with "one"[^]*\.spec\.addresses$/m);
  });

  it('are watched as they change, and read in each version that is served', async () => {
    const watching = k().follow(['get', 'lane', 'front', '-w', '--output-watch-events']);
    await watching.says(/ADDED +front/);
    await k().ok(['label', 'lane', 'front', 'seen=yes']);
    await watching.says(/MODIFIED +front/);
    await watching.stop();
    const old = await k().run(['get', 'lanes.v1beta1.traffic.example.com', 'front', '-o', 'json']);
    expect(JSON.parse(old.stdout)).toMatchObject({ apiVersion: 'traffic.example.com/v1beta1' });
    expect(old.stderr).toMatch(/Warning: traffic\.example\.com\/v1beta1 Lane goes next year/);
    const gone = await k().run(['get', 'lanes.v1alpha1.traffic.example.com']);
    expect(gone.code).toBe(1);
  });

  it('show no field that is unknown, and kubectl says which', async () => {
    const text = readFileSync(named('current').files.right, 'utf8');
    const odd = text.replace('spec:', 'spec:\n  hosst: [a]').replace('name: shop', 'name: odd');
    const { code, stderr } = await k().run(['apply', '-f', '-'], { input: odd });
    expect(code).toBe(1);
    expect(stderr).toMatch(/strict decoding error: unknown field "spec\.hosst"/);
  });
});

describe('A definition of half a megabyte', () => {
  it('is created, explained to its depth, and serves objects', async () => {
    const file = join(cluster.dataDir, 'large.json');
    writeFileSync(file, JSON.stringify(largeDefinition()));
    await k().ok(['create', '-f', file]);
    rmSync(file);
    await k().wait('--for=condition=Established', 'crd/observatories.watch.example.com');
    await k().apply(largeInstance('a'));
    const probe = 'obs.spec.store.template.spec.containers.readinessProbe.httpGet';
    expect(await k().ok(['explain', probe])).toMatch(/port\t<\w*> -required-/);
    expect(await k().ok(['get', 'obs'])).toMatch(/^NAME +SHARDS +AGE\na +1 /);
  });
});
