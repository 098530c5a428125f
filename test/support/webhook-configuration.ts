// Webhook configurations for tests, and a server that asks a webhook of the test's own.
// Invariant: every configuration is about the namespaces and resources that it names, so that nothing else of the server waits.
import { expect } from 'vitest';
import type { ApiServerOptions, AuditRecord } from '../../apiserver/options.ts';
import { type Answer, type Call, startTestServer, type TestServer } from './server.ts';
import { aWebhookServer, type WebhookServer } from './webhook-server.ts';

/** The path of ConfigMaps and others in the namespace `default`. */
export const NS = '/api/v1/namespaces/default';

/** What of a webhook a test says; the rest is about creating and updating ConfigMaps, and fails closed. */
export interface HookSpec {
  /** Path at the webhook server; `/` and the first label of the name unless given. */
  readonly path?: string;
  readonly name?: string;
  readonly [field: string]: unknown;
}

/** A server, a webhook server, and what the audit was told. */
export interface Hooked {
  readonly server: TestServer;
  readonly hook: WebhookServer;
  readonly records: readonly AuditRecord[];
  /** Configures webhooks; answers what the API server said. */
  configure(
    sort: 'mutating' | 'validating',
    name: string,
    hooks: readonly HookSpec[],
  ): Promise<Answer>;
  /** Takes every configuration away. */
  clear(): Promise<void>;
  /** Calls the API server: `GET /api/v1/…`. */
  ask(what: string, body?: object, headers?: Call['headers']): Promise<Answer>;
  close(): Promise<void>;
}

/** Rules about writes of ConfigMaps. */
export const CONFIG_MAPS = {
  apiGroups: [''],
  apiVersions: ['v1'],
  resources: ['configmaps'],
  operations: ['CREATE', 'UPDATE'],
};

/** Starts both. */
export async function aHookedServer(
  options: Partial<ApiServerOptions> = {},
  names: readonly string[] = [],
): Promise<Hooked> {
  const records: AuditRecord[] = [];
  const hook = await aWebhookServer(names);
  const server = await startTestServer({ audit: (record) => records.push(record), ...options });
  const ask: Hooked['ask'] = (what, body, headers) => {
    const [method = '', path = ''] = what.split(' ');
    return server.call(method, path, { ...(body && { body }), ...(headers && { headers }) });
  };
  const collection = (sort: string) =>
    `/apis/admissionregistration.k8s.io/v1/${sort}webhookconfigurations`;
  return {
    server,
    hook,
    records,
    ask,
    async configure(sort, name, hooks) {
      const webhooks = hooks.map((spec) => webhookOf(hook, spec));
      const answer = await ask(`POST ${collection(sort)}`, { metadata: { name }, webhooks });
      expect(answer.status, answer.text).toBe(201);
      return answer;
    },
    async clear() {
      for (const sort of ['mutating', 'validating']) await ask(`DELETE ${collection(sort)}`);
    },
    async close() {
      await server.close();
      await hook.close();
    },
  };
}

function webhookOf(hook: WebhookServer, { path, name = 'a.test.local', ...rest }: HookSpec) {
  return {
    name,
    clientConfig: hook.at(path ?? `/${name.replace(/\..*$/, '')}`),
    rules: [CONFIG_MAPS],
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
    ...rest,
  };
}

/** A webhook's answer that changes the object. */
export const patching = (...operations: readonly object[]) => ({
  allowed: true,
  patchType: 'JSONPatch',
  patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
});

/** An operation that sets a value in the data of a ConfigMap, which has some. */
export const setting = (key: string, value: string) => ({ op: 'add', path: `/data/${key}`, value });

/** A ConfigMap. */
export const aConfigMap = (name: string, data: Readonly<Record<string, string>> = { a: '1' }) => ({
  metadata: { name },
  data,
});
