// Informers of this house over a kind that a webhook converts: they go on while versions are mixed and storage moves.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CustomResourceDefinition } from '../../api/generated/types.ts';
import { CustomResourceDefinitions } from '../../api/kinds.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { seededRandom } from '../../base/random.ts';
import { createInformerFactory } from '../../client/informer/informer-factory.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { anApiServer, type ClientServer } from '../support/client-server.ts';
import { until } from '../support/until.ts';
import { aWebhookServer, type Review, type WebhookServer } from '../support/webhook-server.ts';

const GROUP = 'informed.example.com';

interface Tab extends KubeObject {
  spec?: { readonly one?: string; readonly two?: string };
}

/** v1 says `one`, v2 the same as `two`. */
const convert = ({ request }: Review) => ({
  convertedObjects: request.objects.map(({ spec, ...tab }: Tab) => {
    const apiVersion: string = request.desiredAPIVersion;
    const said = spec?.one ?? spec?.two;
    return { ...tab, apiVersion, spec: apiVersion.endsWith('v1') ? { one: said } : { two: said } };
  }),
  result: { status: 'Success' },
});

function definition(clientConfig: object, storage: string): CustomResourceDefinition {
  const version = (name: string, field: string) => ({
    name,
    served: true,
    storage: name === storage,
    schema: {
      openAPIV3Schema: {
        type: 'object',
        properties: { spec: { type: 'object', properties: { [field]: { type: 'string' } } } },
      },
    },
  });
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `tabs.${GROUP}` },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: { plural: 'tabs', kind: 'Tab' },
      conversion: {
        strategy: 'Webhook',
        webhook: { clientConfig, conversionReviewVersions: ['v1'] },
      },
      versions: [version('v1', 'one'), version('v2', 'two')],
    },
  };
}

let hook: WebhookServer;
let server: ClientServer;
beforeAll(async () => {
  hook = await aWebhookServer();
  hook.on('/convert', convert);
  server = await anApiServer();
});
afterAll(async () => {
  await server?.close();
  await hook?.close();
});

const tabs = (version: string) =>
  ({ group: GROUP, version, kind: 'Tab', plural: 'tabs', namespaced: true }) as const;

it('An informer shows one version whatever is written and stored', async () => {
  const client = createClient(server.transport);
  const definitions = client.resource(CustomResourceDefinitions);
  await definitions.create(definition(hook.at('/convert'), 'v1'));
  const make = (version: string, name: string, spec: object) =>
    client.resource<Tab>(tabs(version)).create({
      apiVersion: `${GROUP}/${version}`,
      kind: 'Tab',
      metadata: { name, namespace: 'default' },
      spec,
    });
  await until(() =>
    make('v1', 'a', { one: 'x' }).then(
      () => true,
      () => false,
    ),
  );
  const informers = createInformerFactory({
    client,
    clock: systemClock,
    random: seededRandom(1),
    logger: silentLogger,
  });
  const informer = informers.informer<Tab>(tabs('v1'));
  const stop = new AbortController();
  informers.start(stop.signal);
  const shown = (name: string) => informer.get(`default/${name}`)?.spec?.one;
  try {
    await until(() => shown('a') === 'x');
    await make('v2', 'b', { two: 'y' });
    await until(() => shown('b') === 'y');
    const before = await definitions.get({ name: `tabs.${GROUP}` });
    const { spec } = definition(hook.at('/convert'), 'v2');
    await definitions.update({ ...before, spec });
    await make('v2', 'c', { two: 'z' });
    await until(() => shown('c') === 'z');
    await client.resource<Tab>(tabs('v2')).delete({ namespace: 'default', name: 'a' });
    await until(() => shown('a') === undefined);
    expect(informer.list().map(({ apiVersion }) => apiVersion)).toEqual([
      `${GROUP}/v1`,
      `${GROUP}/v1`,
    ]);
  } finally {
    stop.abort(new Error('the test is over'));
    await informers.finished();
  }
});
