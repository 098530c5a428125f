// Real kubectl on a kind of two versions that a webhook converts, and whose rules are written in CEL.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Kubectl } from '../support/kubectl.ts';
import { localKubectl, type LocalKubectl } from '../support/local-kubectl.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { aWebhookServer, type Review, type WebhookServer } from '../support/webhook-server.ts';

const GROUP = 'net.example.com';

interface Host {
  readonly apiVersion: string;
  readonly spec?: Readonly<Record<string, unknown>>;
}

/** v1 has `hostPort: a:1`; v2 has `host: a` and `port: 1`. */
function converted({ spec = {}, ...object }: Host, apiVersion: string): Host {
  const { hostPort, host, port, ...rest } = spec;
  if (apiVersion.endsWith('v1'))
    return {
      ...object,
      apiVersion,
      spec: { ...rest, hostPort: `${String(host)}:${String(port)}` },
    };
  const [name, number] = String(hostPort).split(':');
  return { ...object, apiVersion, spec: { ...rest, host: name, port: Number(number) } };
}

const convert = ({ request }: Review) => ({
  convertedObjects: request.objects.map((one: Host) => converted(one, request.desiredAPIVersion)),
  result: { status: 'Success' },
});

const DEFINITION = (clientConfig: object, storage: string) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `hosts.${GROUP}` },
  spec: {
    group: GROUP,
    scope: 'Namespaced',
    names: { plural: 'hosts', kind: 'Host', shortNames: ['ho'] },
    conversion: {
      strategy: 'Webhook',
      webhook: { clientConfig, conversionReviewVersions: ['v1'] },
    },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: storage === 'v1',
        deprecated: true,
        deprecationWarning: 'net.example.com/v1 Host is deprecated; use v2',
        schema: { openAPIV3Schema: parse(V1) as object },
        subresources: SUBRESOURCES,
        additionalPrinterColumns: [{ name: 'At', type: 'string', jsonPath: '.spec.hostPort' }],
      },
      {
        name: 'v2',
        served: true,
        storage: storage === 'v2',
        schema: { openAPIV3Schema: parse(V2) as object },
        subresources: SUBRESOURCES,
        additionalPrinterColumns: [
          { name: 'Host', type: 'string', jsonPath: '.spec.host' },
          { name: 'Port', type: 'integer', jsonPath: '.spec.port' },
        ],
      },
    ],
  },
});
const SUBRESOURCES = {
  status: {},
  scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' },
};
const V1 = `
type: object
properties:
  spec:
    type: object
    properties:
      hostPort: { type: string, maxLength: 100 }
      replicas: { type: integer, default: 1 }
  status: { type: object, properties: { replicas: { type: integer } } }
`;
const V2 = `
type: object
properties:
  spec:
    type: object
    required: [host]
    x-kubernetes-validations:
      - rule: "self.port > 1023 || self.host == 'localhost'"
        messageExpression: "'port %d is for localhost alone'.format([self.port])"
        fieldPath: .port
      - rule: self.replicas >= oldSelf.replicas
        message: hosts only grow
        reason: FieldValueForbidden
    properties:
      host: { type: string, maxLength: 100, description: Where it is. }
      port: { type: integer, default: 8080 }
      replicas: { type: integer, default: 1 }
  status: { type: object, properties: { replicas: { type: integer } } }
`;

let hook: WebhookServer;
let server: TestServer;
let local: LocalKubectl;
let k: Kubectl;
beforeAll(async () => {
  hook = await aWebhookServer();
  hook.on('/convert', convert);
  server = await startTestServer();
  local = localKubectl(server.kubeconfig);
  k = local.kubectl;
  await k.apply(DEFINITION(hook.at('/convert'), 'v1'));
  await k.wait('--for=condition=Established', `crd/hosts.${GROUP}`);
  await k.ok(['create', 'namespace', 'default']).catch(() => undefined);
});
afterAll(async () => {
  local?.close();
  await server?.close();
  await hook?.close();
});

const host = (name: string, spec: object, version = 'v2') => ({
  apiVersion: `${GROUP}/${version}`,
  kind: 'Host',
  metadata: { name, namespace: 'default' },
  spec,
});

describe('A kind of two versions', () => {
  it('is applied and listed in each, with the columns of each', async () => {
    expect(await k.apply(host('a', { host: 'x' }))).toMatch(/host\.net\.example\.com\/a created/);
    expect(await k.apply(host('a', { host: 'x' }))).toMatch(/unchanged/);
    expect(await k.ok(['get', 'hosts.v2.net.example.com'])).toMatch(
      /^NAME +HOST +PORT\na +x +8080/,
    );
    const old = await k.run(['get', 'hosts.v1.net.example.com']);
    expect(old.stdout).toMatch(/^NAME +AT\na +x:8080/);
    expect(old.stderr).toMatch(/Warning: net\.example\.com\/v1 Host is deprecated; use v2/);
    const one = await k.json(['get', 'hosts.v1.net.example.com', 'a']);
    expect(one.spec).toEqual({ hostPort: 'x:8080', replicas: 1 });
  });

  it('is explained in each', async () => {
    expect(await k.ok(['explain', 'host.spec', '--api-version=net.example.com/v2'])).toMatch(
      /host\t<string> -required-\s+Where it is\./,
    );
    expect(await k.ok(['explain', 'host.spec', '--api-version=net.example.com/v1'])).toMatch(
      /hostPort\t<string>/,
    );
  });

  it('is watched in one while it is written in the other, and while its storage moves', async () => {
    const watch = k.follow(['get', 'hosts.v1.net.example.com', '-w', '--output-watch-events']);
    await watch.says(/ADDED +a +x:8080/);
    await k.apply(host('a', { host: 'x', port: 9090 }));
    await watch.says(/MODIFIED +a +x:9090/);
    await watch.stop();
    await k.apply(DEFINITION(hook.at('/convert'), 'v2'));
    const again = k.follow(['get', 'hosts.v1.net.example.com', '-w', '--output-watch-events']);
    await again.says(/ADDED +a +x:9090/);
    await k.apply(host('a', { host: 'x', port: 9091 }));
    await again.says(/MODIFIED +a +x:9091/);
    await again.stop();
    const { status } = await k.json(['get', 'crd', `hosts.${GROUP}`]);
    expect(status.storedVersions).toEqual(['v1', 'v2']);
  });

  it('is applied by the server’s rules in both, each manager in its version', async () => {
    const apply = (by: string, object: object) =>
      k.run(['apply', '--server-side', `--field-manager=${by}`, '-f', '-'], {
        input: JSON.stringify(object),
      });
    expect((await apply('one', host('b', { hostPort: 'y:2000' }, 'v1'))).code).toBe(0);
    const fight = await apply('two', host('b', { host: 'z' }));
    expect(fight.stderr).toMatch(/conflict with "one"[^]*\.spec\.hostPort/);
    expect((await apply('two', host('b', { host: 'y', port: 2000 }))).code).toBe(0);
    const { metadata } = await k.json(['get', 'host', 'b', '--show-managed-fields']);
    const owners = metadata.managedFields.map((entry: Record<string, string>) => [
      entry['manager'],
      entry['apiVersion'],
    ]);
    expect(new Map(owners)).toEqual(
      new Map([
        ['one', `${GROUP}/v1`],
        ['two', `${GROUP}/v2`],
      ]),
    );
  });

  it('is scaled, and has its status written, in either', async () => {
    await k.ok(['scale', 'hosts.v2.net.example.com/a', '--replicas=3']);
    await k.ok([
      'patch',
      'hosts.v1.net.example.com',
      'a',
      '--subresource=status',
      '--type=merge',
      '-p',
      '{"status":{"replicas":3}}',
    ]);
    const scale = await k.json(['get', 'host', 'a', '--subresource=scale']);
    expect(scale).toMatchObject({ spec: { replicas: 3 }, status: { replicas: 3 } });
  });

  it('is held to the rules of the version that it is written in', async () => {
    const low = await k.run(['apply', '-f', '-'], {
      input: JSON.stringify(host('c', { host: 'x', port: 80 })),
    });
    expect(low.stderr).toMatch(
      /The Host "c" is invalid: spec\.port: Invalid value: port 80 is for localhost alone/,
    );
    const less = await k.run(['scale', 'hosts.v2.net.example.com/a', '--replicas=2']);
    expect(less.stderr).toMatch(/spec: Forbidden: hosts only grow/);
    expect(await k.apply(host('c', { hostPort: 'x:80' }, 'v1'))).toMatch(/created/);
    const bad = DEFINITION(hook.at('/convert'), 'v2');
    const text = JSON.stringify(bad)
      .replace('hosts only grow', 'hosts')
      .replace('oldSelf.replicas', 'oldSelf.size');
    const refused = await k.run(['apply', '-f', '-'], { input: text });
    expect(refused.stderr).toMatch(
      /spec\.versions\[1\]\.schema\.openAPIV3Schema\.properties\[spec\]\.x-kubernetes-validations\[1\]\.rule: Invalid value: [^]*undefined field 'size'/,
    );
  });

  it('says who failed when its webhook does, and is read on where none is needed', async () => {
    hook.on('/convert', () => ({ result: { status: 'Failure', message: 'out of order' } }));
    await k.apply(host('d', { host: 'x' }));
    const failed = await k.run(['get', 'hosts.v1.net.example.com', 'd']);
    expect(failed.stderr).toMatch(
      /conversion webhook for net\.example\.com\/v2, Kind=Host failed: out of order/,
    );
    expect(await k.ok(['get', 'hosts.v2.net.example.com', 'd'])).toMatch(/d +x +8080/);
    hook.on('/convert', convert);
    expect(await k.ok(['get', 'hosts.v1.net.example.com', 'd'])).toMatch(/d +x:8080/);
  });
});
