// A whole API server behind HTTPS on a free port of 127.0.0.1, on the memory store, with real certificates.
// Invariant: each call is a server of its own; close() leaves no file and no socket behind.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request as httpsRequest } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApiServer, type ApiServer } from '../../apiserver/api-server.ts';
import type { ApiServerOptions } from '../../apiserver/options.ts';
import { createMemoryStorage } from '../../apiserver/storage/memory/memory-storage.ts';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { systemRandom } from '../../base/random.ts';
import { CertificateAuthority } from '../../cli/serve/pki.ts';

/** An answer, wholly read. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  /** The body as JSON. */
  json(): any; // oxlint-disable-line no-explicit-any
}

/** What a call sends. */
export interface Call {
  readonly body?: object | string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** Who calls: the admin unless given. */
  readonly as?: 'admin' | 'nobody';
}

/** A server and ways to it. */
export interface TestServer {
  readonly server: ApiServer;
  readonly url: string;
  readonly port: number;
  /** Path of a kubeconfig of an admin. */
  readonly kubeconfig: string;
  readonly tls: { readonly key: string; readonly cert: string; readonly ca: string };
  call(method: string, path: string, call?: Call): Promise<Answer>;
  /** An answer whose body is still to be read, such as a watch. */
  open(path: string, signal: AbortSignal): Promise<IncomingMessage>;
  close(): Promise<void>;
}

/** Starts a server; `options` replace parts of what it is made from. */
export async function startTestServer(
  options: Partial<ApiServerOptions> = {},
): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'api-server-'));
  const authority = await CertificateAuthority.open(folder, systemClock);
  const names = [{ type: 'ip' as const, value: '127.0.0.1' }];
  const served = await authority.issue({
    file: 'server',
    commonName: 'server',
    usage: 'server',
    names,
  });
  const admin = await authority.issue({
    file: 'admin',
    commonName: 'admin',
    organizations: ['system:masters'],
    usage: 'client',
  });
  const ca = readFileSync(join(folder, 'ca.crt'), 'utf8');
  const storage = createMemoryStorage({ clock: systemClock, logger: silentLogger });
  const server = await createApiServer({
    storage,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    serviceCidr: '10.96.0.0/16',
    ...options,
  });
  const tls = { ...served, clientCa: ca };
  const { port } = await server.listen({ host: '127.0.0.1', port: 0, tls });
  const url = `https://127.0.0.1:${port}`;
  const kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, kubeconfigOf(url, ca, admin));
  const agents = { admin: new Agent({ ...admin, ca }), nobody: new Agent({ ca }) };
  return {
    server,
    url,
    port,
    kubeconfig,
    tls: { ...admin, ca },
    call: (method, path, call = {}) =>
      send({ url: url + path, method, agent: agents[call.as ?? 'admin'], call }),
    open: (path, signal) =>
      new Promise((resolve, reject) => {
        const outgoing = httpsRequest(url + path, { agent: agents.admin, signal }, resolve);
        outgoing.on('error', reject).end();
      }),
    async close() {
      await server.close();
      for (const agent of Object.values(agents)) agent.destroy();
      await storage.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface Sending {
  readonly url: string;
  readonly method: string;
  readonly agent: Agent;
  readonly call: Call;
}

async function send({ url, method, agent, call }: Sending): Promise<Answer> {
  const { body, headers = {} } = call;
  const bytes =
    body === undefined || typeof body === 'string' || body instanceof Uint8Array
      ? body
      : JSON.stringify(body);
  const type = bytes === undefined ? {} : { 'content-type': 'application/json' };
  const length = bytes === undefined ? {} : { 'content-length': Buffer.byteLength(bytes) };
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const all = { ...type, ...length, ...headers };
    const outgoing = httpsRequest(url, { method, agent, headers: all }, resolve);
    outgoing.on('error', reject).end(bytes);
  });
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return {
    status: answer.statusCode ?? 0,
    headers: answer.headers,
    text,
    json: () => JSON.parse(text) as unknown,
  };
}

function kubeconfigOf(url: string, ca: string, { key, cert }: { key: string; cert: string }) {
  const data = (pem: string) => Buffer.from(pem).toString('base64');
  const cluster = { server: url, 'certificate-authority-data': data(ca) };
  const user = { 'client-certificate-data': data(cert), 'client-key-data': data(key) };
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    clusters: [{ name: 'test', cluster }],
    users: [{ name: 'test', user }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
  });
}
