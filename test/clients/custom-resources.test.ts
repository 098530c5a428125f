// Real kubectl on a kind that a user defined: applied, shown, explained, selected, scaled, watched and deleted like any other.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';

const FOLDER = join(import.meta.dirname, '..', '..', 'crds');
const file = (name: string) => join(FOLDER, `payment-route${name}.yaml`);

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster({ node: false });
  await cluster.kubectl.ok(['apply', '-f', file('')]);
  await cluster.kubectl.ok([
    'wait',
    '--for=condition=Established',
    '--timeout=60s',
    'crd/paymentroutes.shop.example.com',
  ]);
});
afterAll(() => cluster?.stop());

const k = () => cluster.kubectl;

describe('A kind of a user’s', () => {
  it('is applied, shown by its columns, short name and category, and found unchanged', async () => {
    expect(await k().ok(['apply', '-f', file('.right')])).toMatch(
      /paymentroute\.shop\.example\.com\/euro created/,
    );
    expect(await k().ok(['apply', '-f', file('.right')])).toMatch(/unchanged/);
    const changed = readFileSync(file('.right'), 'utf8').replace('share: 70', 'share: 60');
    const diff = await k().run(['diff', '-f', '-'], { input: changed });
    expect(diff.stdout).toMatch(/- +share: 70[^]*\+ +share: 60/);
    const applied = await k().run(['apply', '-f', '-'], { input: changed });
    expect(applied).toMatchObject({ code: 0, stdout: expect.stringContaining('configured') });
    expect(await k().ok(['apply', '-f', file('.right')])).toMatch(/configured/);
    const [header, row] = (await k().ok(['get', 'proute'])).split('\n');
    expect(header).toMatch(/^NAME +CURRENCY +READY +AGE/);
    expect(row).toMatch(/^euro +EUR +\d+s/);
    expect(await k().ok(['get', 'shop', '-o', 'wide'])).toMatch(/WORKERS[^]*euro +EUR +1/);
    const one = await k().json(['get', 'paymentroute', 'euro']);
    expect(one['spec']).toMatchObject({
      workers: 1,
      deadline: '5s',
      providers: [
        { name: 'north', share: 70, port: 'https' },
        { name: 'south', port: 8443, options: { retries: 2 } },
      ],
    });
    expect(await k().ok(['describe', 'proute', 'euro'])).toMatch(/Currency: +EUR/);
  });

  it('is explained, field by field', async () => {
    expect(await k().ok(['explain', 'paymentroute.spec.currency'])).toMatch(
      /Three letters, as ISO 4217/,
    );
    const all = await k().ok(['explain', 'proute', '--recursive']);
    expect(all).toMatch(/providers\s+<\[\]Object> -required-[^]*share\s+<integer>/);
    expect(all).toMatch(/ownerReferences\s+<\[\]OwnerReference>/);
  });

  it('is refused with every broken rule, as upstream words them', async () => {
    const { code, stderr } = await k().run(['apply', '-f', file('.wrong')]);
    expect(code).toBe(1);
    for (const rule of [
      /spec\.currency: Invalid value: "euro": spec\.currency in body should match '\^\[A-Z\]\{3\}\$'/,
      /spec\.workers: Invalid value: 50: spec\.workers in body should be less than or equal to 20/,
      /spec\.deadline: Invalid value: "soon": spec\.deadline in body must be of type duration: "soon"/,
      /spec\.limits\.de: Invalid value: -1/,
      /spec\.providers\[0\]\.name: Required value/,
      /spec\.providers\[0\]\.share: Invalid value: 200/,
      /spec\.providers\[0\]\.port: Invalid value: "array"/,
      /spec\.providers\[2\]: Duplicate value: \{"name":"twin"\}/,
      /spec\.tags\[1\]: Duplicate value: "card"/,
    ])
      expect(stderr).toMatch(rule);
  });

  it('is told of unknown fields', async () => {
    const text = readFileSync(file('.right'), 'utf8')
      .replace('currency: EUR', 'currency: EUR\n  curency: EUR')
      .replace('name: euro', 'name: odd');
    const strict = await k().run(['apply', '-f', '-'], { input: text });
    expect(strict.stderr).toMatch(/strict decoding error: unknown field "spec\.curency"/);
    const warned = await k().run(['apply', '--validate=warn', '-f', '-'], { input: text });
    expect(warned.stderr).toMatch(/Warning: unknown field "spec\.curency"/);
    expect(warned.code).toBe(0);
    await k().ok(['delete', 'proute', 'odd']);
  });

  it('is scaled, patched, edited in its status, labelled and selected', async () => {
    await k().ok(['scale', 'proute/euro', '--replicas=3']);
    await k().ok([
      'patch',
      'proute',
      'euro',
      '--type=merge',
      '--subresource=status',
      '-p',
      '{"status":{"workers":3,"conditions":[{"type":"Ready","status":"True"}]}}',
    ]);
    await k().ok(['wait', '--for=condition=Ready', '--timeout=60s', 'proute/euro']);
    await k().ok(['label', 'proute', 'euro', 'tier=one']);
    expect(
      await k().ok([
        'get',
        'proute',
        '-l',
        'tier=one',
        '--field-selector=spec.currency=EUR',
        '-o',
        'name',
      ]),
    ).toBe('paymentroute.shop.example.com/euro\n');
    const { metadata, spec } = await k().json(['get', 'proute', 'euro']);
    expect(metadata).toMatchObject({ generation: 4 });
    expect(spec).toMatchObject({ workers: 3 });
    const strategic = await k().run(['patch', 'proute', 'euro', '--type=strategic', '-p', '{}']);
    expect(strategic.stderr).toMatch(
      /application\/strategic-merge-patch\+json is not supported|UnsupportedMediaType|unknown format/,
    );
  });

  it('is applied by several managers, list item by list item', async () => {
    const apply = (manager: string, providers: object[]) =>
      k().run(['apply', '--server-side', `--field-manager=${manager}`, '-f', '-'], {
        input: JSON.stringify({
          apiVersion: 'shop.example.com/v1',
          kind: 'PaymentRoute',
          metadata: { name: 'shared' },
          spec: { currency: 'USD', providers },
        }),
      });
    expect((await apply('one', [{ name: 'a', share: 10 }])).code).toBe(0);
    expect((await apply('two', [{ name: 'b', share: 20 }])).code).toBe(0);
    const fight = await apply('two', [{ name: 'a', share: 30 }]);
    expect(fight.stderr).toMatch(/conflict with "one"[^]*\.spec\.providers\[name="a"\]\.share/);
    const { spec } = await k().json(['get', 'proute', 'shared']);
    expect(spec).toMatchObject({
      providers: [
        { name: 'a', share: 10 },
        { name: 'b', share: 20 },
      ],
    });
    await k().ok(['delete', 'proute', 'shared']);
  });

  it('owns and is owned, and dependents go with their owners', async () => {
    const [route, map] = ['paymentroute/owner', 'configmap/dependent'];
    const provider = { currency: 'EUR', providers: [{ name: 'north' }] };
    const owned = (by: object) => ({ ownerReferences: [by] });
    const apply = (object: object) => k().apply(object);
    const v1 = 'shop.example.com/v1';
    const uidOf = async (name: string) => (await k().json(['get', name])).metadata.uid;
    await apply({
      apiVersion: v1,
      kind: 'PaymentRoute',
      metadata: { name: 'owner' },
      spec: provider,
    });
    const uid = await uidOf(route);
    await apply({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: 'dependent',
        ...owned({ name: 'owner', uid, apiVersion: v1, kind: 'PaymentRoute' }),
      },
    });
    const mapUid = await uidOf(map);
    await apply({
      apiVersion: v1,
      kind: 'PaymentRoute',
      metadata: {
        name: 'last',
        ...owned({ name: 'dependent', uid: mapUid, apiVersion: 'v1', kind: 'ConfigMap' }),
      },
      spec: provider,
    });
    await k().ok(['delete', route]);
    await k().ok(['wait', '--for=delete', '--timeout=60s', map, 'paymentroute/last']);
  });

  it('goes with its namespace', async () => {
    const place = async () => {
      await k().ok(['create', 'namespace', 'ending']);
      return k().run(['get', 'proute', 'euro', '-n', 'ending']);
    };
    await place();
    await k().ok(['apply', '-n', 'ending', '-f', file('.right')]);
    await k().ok(['delete', 'namespace', 'ending', '--wait']);
    expect((await place()).stderr).toMatch(/NotFound/);
  });

  it('ends with its definition', async () => {
    await k().ok(['delete', '-f', file('')]);
    const gone = await k().run(['get', 'proute']);
    expect(gone.stderr).toMatch(/the server could not find the requested resource/);
  });
});
