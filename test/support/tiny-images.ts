// Images for tests, from the host's own programs: a shell, and a web server that does what it is asked to.
// Invariant: made without a network; the same host gives the same images.
import { mkdirSync } from 'node:fs';
import { silentLogger } from '../../base/logger.ts';
import { type BuildFile, buildImage } from '../../kubelet/images/build.ts';
import { createImageStore } from '../../kubelet/images/image-store.ts';
import {
  NODE_PATH_IN_IMAGE,
  nodeBaseLayer,
  sharedLibraries,
} from '../../kubelet/images/node-base-layer.ts';
import type { System } from '../../system/system.ts';

/** dash as /bin/sh, with a few programs. */
export const SHELL_IMAGE = 'test/shell:1';
/** The server below on port 8080 (and on 9090 of its loopback), with the shell beside it. */
export const WEB_IMAGE = 'test/web:1';

const PROGRAMS = ['cat', 'env', 'id', 'ls', 'sleep', 'stty', 'touch', 'rm', 'dd', 'tar'];

// `/` tells who answers; `/echo` sends back what it gets; `/get?url=` asks another server from inside the pod; `/lookup?name=` resolves a name.
const SERVER = `
import { createServer, get } from 'node:http';
import { lookup } from 'node:dns/promises';
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
const fetchUrl = (url) => new Promise((resolve) => {
  const call = get(url, { agent: false, timeout: 15_000 }, (response) => {
    let body = '';
    response.on('data', (chunk) => { body += chunk; });
    response.on('end', () => resolve({ status: response.statusCode, body }));
  });
  call.on('timeout', () => call.destroy(Object.assign(new Error(), { code: 'ETIMEDOUT' })));
  call.on('error', (error) => resolve({ error: error.code ?? error.message }));
});
const server = createServer(async (request, response) => {
  const url = new URL(request.url, 'http://pod');
  const say = (status, body) => {
    response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
    response.end(JSON.stringify(body));
  };
  if (url.pathname === '/healthz') return say(existsSync('/tmp/sick') ? 500 : 200, {});
  if (url.pathname === '/readyz') return say(existsSync('/tmp/busy') ? 503 : 200, {});
  if (url.pathname === '/get') {
    const startedAt = performance.now();
    return say(200, { ...(await fetchUrl(url.searchParams.get('url'))), ms: performance.now() - startedAt });
  }
  if (url.pathname === '/lookup')
    return say(200, await lookup(url.searchParams.get('name')).catch((error) => ({ error: error.code })));
  if (url.pathname === '/echo') return request.pipe(response);
  return say(200, { pod: hostname() });
});
createServer((request, response) => response.end('by loopback only')).listen(9090, '127.0.0.1');
server.listen(8080, () => console.log('listening'));
process.on('SIGTERM', () => { console.log('ending'); server.close(() => process.exit(0)); });
`;

/** Builds both into an image store. */
export async function buildTestImages(system: System, directory: string): Promise<void> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const store = createImageStore({ system, dir: directory, logger: silentLogger });
  const shell = { files: await shellFiles(system) };
  await buildImage(store, {
    name: SHELL_IMAGE,
    layers: [shell, { files: [{ directory: true, target: '/tmp', mode: 0o1777 }] }],
    config: { Cmd: ['/bin/sh'] },
  });
  await buildImage(store, {
    name: WEB_IMAGE,
    layers: [
      await nodeBaseLayer(system, process.execPath),
      shell,
      { files: [{ content: SERVER, target: '/app/server.mjs' }] },
    ],
    config: { Entrypoint: [NODE_PATH_IN_IMAGE, '/app/server.mjs'] },
  });
}

async function shellFiles(system: System): Promise<BuildFile[]> {
  const files = new Map<string, BuildFile>();
  const add = async (source: string, target: string) => {
    files.set(target, { source, target, mode: 0o755 });
    for (const library of await sharedLibraries(system, source)) files.set(library.target, library);
  };
  await add('/bin/dash', '/bin/sh');
  for (const name of PROGRAMS) await add(`/bin/${name}`, `/bin/${name}`);
  return [...files.values()];
}
