// Webhooks of an operator's own, in a whole cluster: asked over HTTPS on the loopback, known by the configurations that are made
// of them, and served through every change of certificate.
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Secret, ValidatingWebhookConfiguration } from '../../api/generated/types.ts';
import {
  ConfigMaps,
  CustomResourceDefinitions,
  MutatingWebhookConfigurations,
  Secrets,
  ValidatingWebhookConfigurations,
} from '../../api/kinds.ts';
import type { KindRef } from '../../api/kind-ref.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { isNotFound } from '../../api/status.ts';
import { type Clock, systemClock } from '../../base/clock.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { allow, deny } from '../../controllers/framework/webhooks/admission.ts';
import { converting } from '../../controllers/framework/webhooks/conversion.ts';
import type { Webhook } from '../../controllers/framework/webhooks/review-desk.ts';
import { type StartedPart, startPart } from '../../controllers/framework/webhooks/start-part.ts';
import { mutating, validating } from '../../controllers/framework/webhooks/webhook.ts';
import {
  webhookServer,
  type WebhookServerOptions,
} from '../../controllers/framework/webhooks/webhook-server.ts';
import type { Client } from '../../client/rest/client.ts';
import { startCluster, type TestCluster } from '../../testing/index.ts';
import { until } from '../support/until.ts';

let cluster: TestCluster;
const parts: StartedPart[] = [];
beforeEach(async () => {
  cluster = await startCluster({ controllers: 'none', scheduler: false });
});
afterEach(async () => {
  await Promise.all(parts.splice(0).map((part) => part.stop()));
  await cluster.close();
});

const NAME = 'shop';
const SECRET_NAME = `${NAME}-webhook-certificates`;
/** Serves them on a free port of the loopback, and waits until the API server knows. */
async function serve(
  webhooks: readonly Webhook[],
  options: Partial<WebhookServerOptions> = {},
  client: Client = cluster.client,
): Promise<StartedPart> {
  const part = webhookServer({ name: NAME, webhooks, host: '127.0.0.1', port: 0, ...options });
  const { clock, random, logger } = cluster;
  const context = { client, clock, random, logger, namespace: 'default' };
  const started = startPart(part, context);
  parts.push(started);
  await started.ready;
  return started;
}

const configs = () => cluster.client.resource(ConfigMaps);
const aConfig = (name: string, data: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data,
});
const noSecrets = validating(ConfigMaps, {
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'default' } },
  admit({ object, user }) {
    if (object.data?.['password'] === undefined) return allow({ warnings: ['looked at'] });
    const causes = [{ field: 'data.password', reason: 'FieldValueForbidden', message: 'a secret' }];
    return deny(`${user.username}, keep passwords in Secrets`, { reason: 'Invalid', causes });
  },
});
const validatingNow = () =>
  cluster.client.resource(ValidatingWebhookConfigurations).get({ name: NAME });
const caOf = ({ webhooks }: ValidatingWebhookConfiguration) =>
  Buffer.from(webhooks?.[0]?.clientConfig.caBundle ?? '', 'base64').toString();

describe('webhooks of an operator', () => {
  it('refuse, and the caller is told why', async () => {
    await serve([noSecrets]);
    await configs().create(aConfig('a'));
    await expect(configs().create(aConfig('b', { password: 'x' }))).rejects.toMatchObject({
      code: 422,
      reason: 'Invalid',
      message:
        'admission webhook "validate.configmaps.core" denied the request: admin, keep passwords in Secrets',
      details: { causes: [{ field: 'data.password' }] },
    });
    await expect(
      configs().patch(
        { namespace: 'default', name: 'a' },
        { type: 'merge', body: { data: { password: 'x' } } },
      ),
    ).rejects.toMatchObject({ code: 422 });
  });

  it('leave nothing behind when they stop', async () => {
    const open = () =>
      process.getActiveResourcesInfo().filter((each) => /TCP|TLS|FSEvent/.test(each));
    await until(() => open().length === 0);
    const part = await serve([noSecrets]);
    await configs().create(aConfig('a'));
    expect(open()).not.toEqual([]);
    await part.stop();
    await until(() => open().length === 0);
  });

  it('change what is written', async () => {
    const labels = mutating(ConfigMaps, {
      admit: ({ object, operation }) => ({
        ...object,
        metadata: { ...object.metadata, labels: { ...object.metadata.labels, by: operation } },
      }),
    });
    await serve([labels]);
    const made = await configs().create(aConfig('a'));
    expect(made.metadata.labels).toEqual({ by: 'CREATE' });
    const updated = await configs().update({ ...made, data: { a: 'b' } });
    expect(updated.metadata.labels).toEqual({ by: 'UPDATE' });
    const again = await configs().update(updated);
    expect(again.metadata.resourceVersion).toBe(updated.metadata.resourceVersion);
  });

  it('are asked about deletions and subresources', async () => {
    const keeps = validating(ConfigMaps, {
      operations: ['DELETE'],
      admit: ({ oldObject, name }) =>
        oldObject.data?.['keep'] === 'yes' ? deny(`${name} is kept`, { code: 409 }) : allow(),
    });
    await serve([keeps]);
    for (const keep of ['yes', 'no']) await configs().create(aConfig(keep, { keep }));
    const remove = (name: string) => configs().delete({ namespace: 'default', name });
    await expect(remove('yes')).rejects.toMatchObject({ code: 409 });
    await remove('no');
  });

  it('that fail are answered for by their failure policy, with what the author has to mend', async () => {
    const broken = (failurePolicy: 'Fail' | 'Ignore') =>
      validating(ConfigMaps, {
        name: `${failurePolicy.toLowerCase()}.test.local`,
        failurePolicy,
        objectSelector: { matchLabels: { policy: failurePolicy } },
        admit: (() => undefined) as never,
      });
    await serve([broken('Fail'), broken('Ignore')]);
    const labelled = (policy: string) => {
      const { metadata, ...rest } = aConfig(policy.toLowerCase());
      return { ...rest, metadata: { ...metadata, labels: { policy } } };
    };
    await configs().create(labelled('Ignore'));
    await expect(configs().create(labelled('Fail'))).rejects.toMatchObject({
      code: 500,
      message: expect.stringContaining("answered nothing: return allow() or deny('why')"),
    });
  });

  it('work in a cluster on virtual time, where the host is years away', async () => {
    await cluster.close();
    const clock = new VirtualClock(Date.UTC(2036, 0, 1));
    cluster = await startCluster({ clock, controllers: 'none', scheduler: false });
    await serve([noSecrets]);
    await configs().create(aConfig('a'));
    await expect(configs().create(aConfig('b', { password: 'x' }))).rejects.toMatchObject({
      code: 422,
    });
  });

  it('need their definitions, and say so', async () => {
    const ref = { group: 'example.com', version: 'v1', kind: 'A', plural: 'as', namespaced: true };
    const webhook = converting(ref, { 'v1→v2': (object) => object });
    await expect(serve([webhook])).rejects.toThrow(
      'the definition as.example.com is not installed',
    );
    const [part] = parts.splice(0);
    await expect(part?.done).rejects.toThrow('is not installed');
  });
});

describe('the account of a webhook server', () => {
  const account = 'system:serviceaccount:default:hooks';
  const rbac = 'rbac.authorization.k8s.io';
  const bind = (kind: 'Role' | 'ClusterRole', rules: readonly object[]) => {
    const metadata = { name: 'hooks', ...(kind === 'Role' && { namespace: 'default' }) };
    const subjects = [{ kind: 'User', name: account, apiGroup: rbac }];
    const roleRef = { apiGroup: rbac, kind, name: 'hooks' };
    return cluster.apply(
      { apiVersion: `${rbac}/v1`, kind, metadata, rules },
      { apiVersion: `${rbac}/v1`, kind: `${kind}Binding`, metadata, subjects, roleRef },
    );
  };
  const verbs = (text: string) => [...text.matchAll(/`(\w+)`/g)].map(([, verb]) => verb);

  it('needs what the guide says, and is told what it lacks', async () => {
    const client = cluster.as(account);
    await expect(serve([noSecrets], {}, client)).rejects.toThrow('cannot get resource "secrets"');
    parts.length = 0;
    const guide = readFileSync('docs/guide/webhooks.md', 'utf8').replaceAll('\n', ' ');
    const [, secrets = '', hooks = ''] =
      /needs: (.*?) on `secrets` in its namespace; (.*?) on `mutating/.exec(guide) ?? [];
    await bind('Role', [{ apiGroups: [''], resources: ['secrets'], verbs: verbs(secrets) }]);
    await expect(serve([noSecrets], {}, client)).rejects.toThrow(
      'cannot patch resource "validatingwebhookconfigurations"',
    );
    parts.length = 0;
    const resources = ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'];
    const apiGroups = ['admissionregistration.k8s.io'];
    await bind('ClusterRole', [{ apiGroups, resources, verbs: verbs(hooks) }]);
    await serve([noSecrets], {}, client);
    const before = await validatingNow();
    const webhooks = before.webhooks?.map((each) => {
      const { caBundle: _, ...clientConfig } = each.clientConfig;
      return { ...each, clientConfig };
    });
    await cluster.client.resource(ValidatingWebhookConfigurations).update({ ...before, webhooks });
    await until(async () => caOf(await validatingNow()) === caOf(before));
    await cluster.client.resource(Secrets).delete({ namespace: 'default', name: SECRET_NAME });
    await until(async () => {
      const { items } = await cluster.client.resource(Secrets).list({ namespace: 'default' });
      return items.some(({ metadata }) => metadata.name === SECRET_NAME);
    });
  });
});

type Backup = KubeObject & { spec: { minutes: number } };
type OldBackup = KubeObject & { spec: { hours: number } };

describe('conversion', () => {
  const at = (version: string) =>
    ({
      group: 'example.com',
      version,
      kind: 'Backup',
      plural: 'backups',
      namespaced: true,
    }) as const;
  const Backups: KindRef<Backup> = at('v2');
  const OldBackups: KindRef<OldBackup> = at('v1');
  const version = (name: string, field: string) => ({
    name,
    served: true,
    storage: name === 'v2',
    schema: {
      openAPIV3Schema: {
        type: 'object',
        properties: {
          spec: { type: 'object', properties: { [field]: { type: 'number', minimum: 0 } } },
        },
      },
    },
  });
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'backups.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { kind: 'Backup', plural: 'backups' },
      versions: [version('v1', 'hours'), version('v2', 'minutes')],
    },
  };
  const webhook = converting(Backups, {
    'v1→v2': (object) => {
      const { spec } = object as unknown as OldBackup;
      return { ...object, spec: { minutes: spec.hours * 60 } };
    },
    'v2→v1': (object) => {
      const { spec } = object as unknown as Backup;
      if (spec.minutes % 60 !== 0) throw new RangeError('only whole hours can be told in v1');
      return { ...object, spec: { hours: spec.minutes / 60 } };
    },
  });

  it('serves every version of what is stored, and keeps the rest of the definition', async () => {
    await cluster.apply(definition);
    await serve([webhook]);
    const [now, old] = [cluster.client.resource(Backups), cluster.client.resource(OldBackups)];
    const metadata = { name: 'b', namespace: 'default' };
    await old.create({
      apiVersion: 'example.com/v1',
      kind: 'Backup',
      metadata,
      spec: { hours: 2 },
    });
    expect((await now.get(metadata)).spec).toEqual({ minutes: 120 });
    await now.patch(metadata, { type: 'merge', body: { spec: { minutes: 90 } } });
    await expect(old.get(metadata)).rejects.toThrow(
      'default/b: the converter v2→v1 failed: only whole hours can be told in v1',
    );
    const crd = await cluster.client
      .resource(CustomResourceDefinitions)
      .get({ name: 'backups.example.com' });
    expect(crd.spec.versions.map(({ name }) => name)).toEqual(['v1', 'v2']);
    expect(crd.spec.conversion?.strategy).toBe('Webhook');
  });

  it('has its authority put in again where it was taken out', async () => {
    await cluster.apply(definition);
    await serve([webhook]);
    const crds = cluster.client.resource(CustomResourceDefinitions);
    const now = () => crds.get({ name: 'backups.example.com' });
    const before = (await now()).spec.conversion?.webhook?.clientConfig?.caBundle;
    const path = '/spec/conversion/webhook/clientConfig/caBundle';
    await crds.patch(
      { name: 'backups.example.com' },
      { type: 'json', body: [{ op: 'remove', path }] },
    );
    await until(async () => {
      const { conversion } = (await now()).spec;
      return conversion?.webhook?.clientConfig?.caBundle === before;
    });
  });
});

describe('the configurations', () => {
  it('have their authority put in again where somebody takes it out, and nothing else undone', async () => {
    const other = mutating(ConfigMaps, { admit: () => undefined });
    await serve([noSecrets, other]);
    const resource = cluster.client.resource(ValidatingWebhookConfigurations);
    const before = await validatingNow();
    expect(caOf(before)).toContain('BEGIN CERTIFICATE');
    const { caBundle: _, ...clientConfig } = before.webhooks![0]!.clientConfig;
    const stripped = { ...before.webhooks![0]!, clientConfig, failurePolicy: 'Ignore' };
    const foreign = { ...stripped, name: 'foreign.test.local' };
    await resource.update({ ...before, webhooks: [foreign, stripped] });
    await until(
      async () =>
        caOf({ ...before, webhooks: [(await validatingNow()).webhooks![1]!] }) === caOf(before),
    );
    const [theirs, ours] = (await validatingNow()).webhooks ?? [];
    expect(theirs?.clientConfig.caBundle).toBeUndefined();
    expect(ours?.failurePolicy).toBe('Ignore');
    await expect(configs().create(aConfig('b', { password: 'x' }))).rejects.toMatchObject({
      code: 422,
    });
  });

  it('stay away where somebody takes them away, until the next start', async () => {
    const first = await serve([noSecrets]);
    await cluster.client.resource(ValidatingWebhookConfigurations).delete({ name: NAME });
    await configs().create(aConfig('a', { password: 'x' }));
    await first.stop();
    await expect(validatingNow()).rejects.toSatisfy(isNotFound);
    await serve([noSecrets]);
    await expect(configs().create(aConfig('b', { password: 'x' }))).rejects.toMatchObject({
      code: 422,
    });
  });

  it('are those of the newest program: entries and settings that it no longer has are gone', async () => {
    const second = validating(ConfigMaps, { name: 'second.test.local', admit: () => deny('no') });
    await (await serve([noSecrets, second])).stop();
    await serve([noSecrets]);
    expect((await validatingNow()).webhooks?.map(({ name }) => name)).toEqual([noSecrets.name]);
    await configs().create(aConfig('a'));
    const mutators = cluster.client.resource(MutatingWebhookConfigurations);
    await expect(mutators.get({ name: NAME })).rejects.toSatisfy(isNotFound);
  });
});

/** The host's time, but waits of more than a minute end when the test lets time pass. */
class SteppedClock implements Clock {
  #passedMs = 0;
  #waiting: { readonly due: number; readonly fn: () => void }[] = [];
  now = () => systemClock.now() + this.#passedMs;
  monotonic = () => systemClock.monotonic() + this.#passedMs;
  sleep = (ms: number, signal?: AbortSignal) => systemClock.sleep(ms, signal);
  timer(ms: number, fn: () => void) {
    if (ms <= 60_000) return systemClock.timer(ms, fn);
    const waiting = { due: this.monotonic() + ms, fn };
    this.#waiting.push(waiting);
    return {
      cancel: () => void (this.#waiting = this.#waiting.filter((each) => each !== waiting)),
    };
  }
  pass(ms: number): void {
    this.#passedMs += ms;
    const due = this.#waiting.filter((each) => each.due <= this.monotonic());
    this.#waiting = this.#waiting.filter((each) => each.due > this.monotonic());
    for (const { fn } of due) fn();
  }
}

describe('the certificates', () => {
  const MINUTE_MS = 60_000;
  // Validity begins an hour before a certificate is made: all of these are valid now, by the host's time.
  const lifetimes = { authorityMs: 72 * MINUTE_MS, servingMs: 20 * MINUTE_MS };
  const SECRET = { namespace: 'default', name: SECRET_NAME };
  const secret = (): Promise<Secret> => cluster.client.resource(Secrets).get(SECRET);
  const textOf = ({ data }: Secret, key: string) =>
    Buffer.from(data?.[key] ?? '', 'base64').toString();

  it('are renewed under traffic, authorities too, without one request that fails', async () => {
    const clock = new SteppedClock();
    await serve([noSecrets], { lifetimes, certificateClock: clock });
    let [stop, written] = [false, 0];
    const traffic = Array.from({ length: 4 }, async (_, worker) => {
      const name = `traffic-${worker}`;
      await configs().create(aConfig(name));
      for (let i = 0; !stop; i++, written++)
        await configs().patch(
          { namespace: 'default', name },
          { type: 'merge', body: { data: { i: `${i}` } } },
        );
    });
    const someMore = async () => {
      const enough = written + 20;
      await until(() => written >= enough);
    };
    const [serving, authorities] = [new Set<string>(), new Set<string>()];
    for (let minutes = 0; minutes < 58; minutes += 2) {
      clock.pass(2 * MINUTE_MS);
      const [before, first] = [await secret(), authorities.size];
      serving.add(textOf(before, 'tls.crt'));
      authorities.add(textOf(before, 'authority.crt'));
      // What is renewed is in the configuration, and has been met by requests, before more time passes.
      await until(async () => caOf(await validatingNow()) === textOf(await secret(), 'ca.crt'));
      await (authorities.size === first ? Promise.resolve() : someMore());
      await someMore();
    }
    stop = true;
    await Promise.all(traffic);
    expect(serving.size).toBeGreaterThan(3);
    expect(authorities.size).toBe(2);
    expect(textOf(await secret(), 'ca.crt').match(/BEGIN/g)).toHaveLength(2);
  });

  it('are one for all replicas, whoever comes first', async () => {
    await Promise.all([serve([noSecrets]), serve([noSecrets]), serve([noSecrets])]);
    const kept = textOf(await secret(), 'ca.crt');
    expect(caOf(await validatingNow())).toBe(kept);
    expect(kept.match(/BEGIN/g)).toHaveLength(1);
    await configs().create(aConfig('a'));
  });

  it('are written again as they were where the Secret is deleted, and where it is spoilt', async () => {
    await serve([noSecrets]);
    const before = await secret();
    const secrets = cluster.client.resource(Secrets);
    const isBack = async () => {
      const now = await secret().catch((error: unknown) => {
        if (isNotFound(error)) return undefined;
        throw error;
      });
      return now?.data?.['tls.key'] === before.data?.['tls.key'] && now?.data?.['ca.crt'] !== '';
    };
    await secrets.delete(SECRET);
    await until(isBack);
    const spoilt = { 'tls.key': Buffer.from('hello').toString('base64'), mine: 'eA==' };
    await secrets.patch(SECRET, { type: 'merge', body: { data: spoilt } });
    await until(isBack);
    expect((await secret()).data?.['mine']).toBe('eA==');
    await configs().create(aConfig('a'));
  });

  it('are for the Service that API servers reach them by', async () => {
    const service = { namespace: 'default', name: 'hooks' };
    await serve([noSecrets], { service });
    const { subjectAltName } = new X509Certificate(textOf(await secret(), 'tls.crt'));
    expect(subjectAltName).toBe(
      'DNS:hooks.default, DNS:hooks.default.svc, DNS:hooks.default.svc.cluster.local',
    );
    expect((await validatingNow()).webhooks?.[0]?.clientConfig).toMatchObject({
      service: { ...service, port: 443, path: '/validate.configmaps.core' },
    });
  });
});
