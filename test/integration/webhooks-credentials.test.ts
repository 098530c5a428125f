// Webhooks that let nobody in who does not sign in: called with the credentials that an admission configuration has for them, and
// without them the request fails in words that say why.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { keepAdmissionConfig } from '../../cli/serve/admission-config.ts';
import { ensureClusterFiles } from '../../cli/serve/cluster-files.ts';
import { serveApi } from '../../cli/serve/control-plane.ts';
import { silentLogger } from '../../base/logger.ts';
import { systemRandom } from '../../base/random.ts';
import { CertificateAuthority } from '../../cli/serve/pki.ts';
import { createLinuxSystem } from '../../system/linux.ts';
import { aConfigMap, CONFIG_MAPS, patching, setting } from '../support/webhook-configuration.ts';
import { aWebhookServer, type Answering, type WebhookServer } from '../support/webhook-server.ts';

const endings: (() => unknown)[] = [];
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'credentials-'));
  endings.push(() => rmSync(folder, { recursive: true, force: true }));
});
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

async function aHook(clientCa?: string): Promise<WebhookServer> {
  const hook = await aWebhookServer([], clientCa);
  endings.push(() => hook.close());
  return hook;
}

/** Answers those alone who send this header. */
const onlyFor =
  (header: string, said: object): Answering =>
  (_, { request, response }) => {
    if (request.headers.authorization === header) return said;
    response.writeHead(401).end('who are you?');
    return undefined;
  };

interface Users {
  readonly mutating?: Readonly<Record<string, object>>;
  readonly validating?: Readonly<Record<string, object>>;
}

/** Calls an API server as the control plane makes it, started with users for webhooks. */
async function aServer({ mutating, validating }: Users) {
  const apiVersion = 'apiserver.config.k8s.io/v1';
  const plugin = (name: string, users: Readonly<Record<string, object>>) => {
    const list = Object.entries(users).map(([each, user]) => ({ name: each, user }));
    writeFileSync(join(folder, name), JSON.stringify({ users: list }));
    const kind = 'WebhookAdmissionConfiguration';
    return { name, configuration: { apiVersion, kind, kubeConfigFile: name } };
  };
  const plugins = [
    ...(mutating ? [plugin('MutatingAdmissionWebhook', mutating)] : []),
    ...(validating ? [plugin('ValidatingAdmissionWebhook', validating)] : []),
  ];
  const file = join(folder, 'admission.json');
  writeFileSync(file, JSON.stringify({ apiVersion, kind: 'AdmissionConfiguration', plugins }));
  const doors = { system: createLinuxSystem(), clock: systemClock, random: systemRandom };
  const request = { dataDir: join(folder, 'data'), port: 0 };
  const { paths, facts } = await ensureClusterFiles(request, doors);
  await keepAdmissionConfig(paths, file);
  const { signal } = new AbortController();
  const context = {
    logger: silentLogger,
    signal,
    ready: () => undefined,
    farewell: () => undefined,
  };
  const api = await serveApi(paths, facts, context);
  endings.push(() => api.close());
  return async (path: string, body: object) => {
    const reply = await api.server.handler(
      {
        method: 'POST',
        path,
        query: new URLSearchParams(),
        headers: { 'content-type': 'application/json' },
        body: Buffer.from(JSON.stringify(body)),
        signal,
      },
      { username: 'admin', groups: ['system:masters'] },
    );
    if (reply.kind !== 'body') throw new Error(`a reply of kind ${reply.kind}`);
    return { status: reply.status, json: JSON.parse(Buffer.concat(reply.body).toString()) };
  };
}
type Caller = Awaited<ReturnType<typeof aServer>>;

async function configure(call: Caller, sort: string, clientConfig: object): Promise<void> {
  const webhook = {
    name: 'a.test.local',
    clientConfig,
    rules: [CONFIG_MAPS],
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
  };
  const collection = `/apis/admissionregistration.k8s.io/v1/${sort}webhookconfigurations`;
  const answer = await call(collection, { metadata: { name: 'a' }, webhooks: [webhook] });
  expect(answer.status, JSON.stringify(answer.json)).toBe(201);
}
const create = (call: Caller) =>
  call('/api/v1/namespaces/default/configmaps', aConfigMap(`a${systemRandom.uuid()}`));

describe('A webhook that asks for a certificate', () => {
  let authority: CertificateAuthority;
  let ca: string;
  beforeEach(async () => {
    authority = await CertificateAuthority.open(folder, systemClock);
    ca = readFileSync(join(folder, 'ca.crt'), 'utf8');
  });

  it('is shown the one of its host and port, also over kept connections', async () => {
    const hook = await aHook(ca);
    hook.on('/a', () => patching(setting('by', 'hook')));
    await authority.issue({ file: 'me', commonName: 'me', usage: 'client' });
    const files = {
      'client-certificate': join(folder, 'me.crt'),
      'client-key': join(folder, 'me.key'),
    };
    const call = await aServer({ mutating: { [`127.0.0.1:${hook.port}`]: files } });
    await configure(call, 'mutating', hook.at('/a'));
    for (let i = 0; i < 3; i += 1) expect((await create(call)).json.data.by).toBe('hook');
    expect(hook.connections).toBe(1);
    // Webhooks of the other sort have users of their own: none.
    await configure(call, 'validating', hook.at('/a'));
    const { status, json } = await create(call);
    expect(status).toBe(500);
    expect(json.message).toContain('remote error: tls: certificate required');
  });
});

describe('A webhook that asks for a token', () => {
  it('is told that of the closest name, and who sends none is told what to do', async () => {
    const hook = await aHook();
    hook.on('/a', onlyFor('Bearer secret', { allowed: true }));
    const users = { '*.0.0.1:1': { token: 'wrong' }, '*': { token: 'secret' } };
    const call = await aServer({ validating: users, mutating: {} });
    await configure(call, 'validating', hook.at('/a'));
    expect((await create(call)).status).toBe(201);
    await configure(call, 'mutating', hook.at('/a'));
    const { status, json } = await create(call);
    expect(status).toBe(500);
    expect(json.message).toContain('the server has asked for the client to provide credentials');
  });

  it('is told a name and a password where the user has those', async () => {
    const hook = await aHook();
    const pair = Buffer.from('jane:pass').toString('base64');
    hook.on('/a', onlyFor(`Basic ${pair}`, { allowed: true }));
    const jane = { username: 'jane', password: 'pass' };
    const call = await aServer({ validating: { [`*.0.0.1:${hook.port}`]: jane } });
    await configure(call, 'validating', hook.at('/a'));
    expect((await create(call)).status).toBe(201);
  });
});
