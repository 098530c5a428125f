// An API server that stands behind another one: it serves one kind, knows nobody by itself, and believes what the API server in
// front says of its users. All in memory; what it needs is a certificate for its Service's name and the front proxy's authority.
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Duplex } from 'node:stream';
import {
  AGGREGATED,
  groupDiscovery,
  groupDocument,
  groupList,
  openApiV2,
  openApiV3,
  resourceList,
} from './documents.ts';
import { API_VERSION, GROUP, isIn, type Recipe, Recipes, Refusal } from './recipes.ts';
import { type Requester, requesterOf } from './requester.ts';

/** What it is made from; PEM. */
export interface KitchenOptions {
  readonly key: string;
  readonly cert: string;
  /** Who signs the certificate of the API server in front: requestheader-client-ca-file. */
  readonly frontProxyCa: string;
  /** Its names: requestheader-allowed-names. */
  readonly frontProxyNames: readonly string[];
}

/** Bodies larger than this are refused. */
const MAX_BODY_BYTES = 1024 * 1024;

/** The server, not listening yet. */
export function createKitchen(options: KitchenOptions, recipes = new Recipes()): Server {
  const tls = {
    key: options.key,
    cert: options.cert,
    ca: options.frontProxyCa,
    requestCert: true,
    // Health and the like are for anybody; who is asked about recipes looks at the certificate.
    rejectUnauthorized: false,
  };
  const names = options.frontProxyNames;
  const server = createServer(tls, (request, response) => {
    serve(request, response, { recipes, names }).catch((error: unknown) => refuse(response, error));
  });
  return server.on('upgrade', (request: IncomingMessage, socket: Duplex) =>
    taste(request, socket, { recipes, names }),
  );
}

interface Kitchen {
  readonly recipes: Recipes;
  readonly names: readonly string[];
}

/** What a path is about. */
interface Place {
  readonly namespace: string;
  readonly name: string | undefined;
  readonly part: string | undefined;
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  { recipes, names }: Kitchen,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'https://kitchen');
  if (url.pathname === '/healthz') return void response.end('ok');
  const user = requesterOf(request, names);
  const document = documentAt(url.pathname, String(request.headers['accept'] ?? ''));
  if (document) return sendDocument(request, response, document);
  const place = placeOf(url.pathname);
  if (!place) throw notFound();
  if (request.method === 'GET' && url.searchParams.has('watch'))
    return watch(response, { recipes, place, url });
  const body = await bodyOf(request);
  const created = request.method === 'POST';
  send(response, created ? 201 : 200, answer({ request, recipes, place, user, body }));
}

interface Document {
  readonly type?: string;
  readonly body: object;
}

function documentAt(path: string, accept: string): Document | undefined {
  switch (path.replace(/\/$/, '')) {
    case '/apis':
      return accept.includes('as=APIGroupDiscoveryList') && accept.includes('v=v2;')
        ? { type: AGGREGATED, body: groupDiscovery }
        : { body: groupList };
    case `/apis/${GROUP}`:
      return { body: groupDocument };
    case `/apis/${API_VERSION}`:
      return { body: resourceList };
    case '/openapi/v2':
      return { body: openApiV2 };
    case '/openapi/v3': {
      const url = `/openapi/v3/apis/${API_VERSION}?hash=${digest(JSON.stringify(openApiV3))}`;
      return { body: { paths: { [`apis/${API_VERSION}`]: { serverRelativeURL: url } } } };
    }
    case `/openapi/v3/apis/${API_VERSION}`:
      return { body: openApiV3 };
    default:
      return undefined;
  }
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

function sendDocument(
  request: IncomingMessage,
  response: ServerResponse,
  { type = 'application/json', body }: Document,
): void {
  const text = JSON.stringify(body);
  const etag = `"${digest(text)}"`;
  response.setHeader('etag', etag).setHeader('content-type', type);
  if (request.headers['if-none-match'] === etag) response.writeHead(304).end();
  else response.end(text);
}

/** `/apis/GROUP/VERSION/[namespaces/NAMESPACE/]recipes[/NAME[/PART]]`. */
function placeOf(path: string): Place | undefined {
  const prefix = `/apis/${API_VERSION}/`;
  if (!path.startsWith(prefix)) return undefined;
  const segments = path.slice(prefix.length).split('/').map(decodeURIComponent);
  const [namespace = '', rest] =
    segments[0] === 'namespaces' ? [segments[1], segments.slice(2)] : ['', segments];
  const [resource, name, part, more] = rest;
  return resource === 'recipes' && more === undefined ? { namespace, name, part } : undefined;
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    // Read on: who is still sending would never see the answer.
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  if (bytes > MAX_BODY_BYTES)
    throw new Refusal(413, 'RequestEntityTooLarge', `limit is ${MAX_BODY_BYTES}`);
  if (bytes === 0) return {};
  try {
    return JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
  } catch {
    throw new Refusal(400, 'BadRequest', 'the body is not JSON');
  }
}

interface Asked {
  readonly request: IncomingMessage;
  readonly recipes: Recipes;
  readonly place: Place;
  readonly user: Requester;
  readonly body: Record<string, unknown>;
}

function answer(asked: Asked): object {
  const { request, recipes, place, user, body } = asked;
  const { namespace, name, part } = place;
  const sent = body as Partial<Recipe>;
  if (name === undefined) return answerAll(asked);
  if (part !== undefined) throw notFound();
  switch (request.method) {
    case 'GET':
    case 'HEAD':
      return recipes.get(namespace, name);
    case 'PUT':
      return recipes.update(namespace, name, sent);
    case 'PATCH':
      return patch(asked, name);
    case 'DELETE': {
      const { preconditions } = body as { preconditions?: { uid?: string } };
      return recipes.delete(namespace, name, preconditions?.uid);
    }
    default:
      throw new Refusal(405, 'MethodNotAllowed', `${user.name} cannot do that`);
  }
}

function answerAll({ request, recipes, place: { namespace }, user, body }: Asked): object {
  switch (request.method) {
    case 'GET':
    case 'HEAD':
      return listOf(recipes.revision, recipes.list(namespace));
    case 'POST':
      return recipes.create(namespace, body as Partial<Recipe>, user.name);
    case 'DELETE': {
      const gone = recipes
        .list(namespace)
        .map(({ metadata }) => recipes.delete(metadata.namespace, metadata.name));
      return listOf(recipes.revision, gone);
    }
    default:
      throw new Refusal(405, 'MethodNotAllowed', 'there is no such thing as that for all');
  }
}

function listOf(resourceVersion: string, items: readonly Recipe[]): object {
  return { kind: 'RecipeList', apiVersion: API_VERSION, metadata: { resourceVersion }, items };
}

function patch({ request, recipes, place, body }: Asked, name: string): Recipe {
  const type = String(request.headers['content-type']);
  if (!type.startsWith('application/merge-patch+json'))
    throw new Refusal(415, 'UnsupportedMediaType', `only merge patches are taken, not ${type}`);
  const old = recipes.get(place.namespace, name);
  return recipes.update(place.namespace, name, merged(old, body) as Recipe);
}

/** RFC 7396. */
function merged(old: unknown, change: unknown): unknown {
  if (typeof change !== 'object' || change === null || Array.isArray(change)) return change;
  const next: Record<string, unknown> = { ...(old as Record<string, unknown> | undefined) };
  for (const [key, value] of Object.entries(change)) {
    if (value === null) delete next[key];
    else next[key] = merged(next[key], value);
  }
  return next;
}

function watch(
  response: ServerResponse,
  { recipes, place, url }: { recipes: Recipes; place: Place; url: URL },
): void {
  const asked = url.searchParams.get('resourceVersion') ?? '';
  const field = /^metadata\.name=(.*)$/.exec(url.searchParams.get('fieldSelector') ?? '')?.[1];
  const isMeant = (recipe: Recipe) =>
    isIn(recipe, place.namespace) && (field === undefined || recipe.metadata.name === field);
  const tell = (change: object) => response.write(`${JSON.stringify(change)}\n`);
  response.setHeader('content-type', 'application/json');
  const present = asked === '' || asked === '0';
  const after = present ? recipes.revision : asked;
  const stop = recipes.watch(after, (change) => isMeant(change.object) && tell(change));
  response.on('close', stop);
  response.flushHeaders();
  if (present)
    for (const object of recipes.list('').filter(isMeant)) tell({ type: 'ADDED', object });
}

/** GET …/recipes/NAME/taste, upgraded to any protocol: says whose dish it is, then echoes. */
function taste(request: IncomingMessage, socket: Duplex, { recipes, names }: Kitchen): void {
  socket.on('error', () => socket.destroy());
  try {
    const user = requesterOf(request, names);
    const place = placeOf((request.url ?? '').replace(/\?.*/, ''));
    if (place?.part !== 'taste' || place.name === undefined) throw notFound();
    const { spec } = recipes.get(place.namespace, place.name);
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${request.headers.upgrade}\r\n\r\n`,
    );
    socket.write(`${spec?.dish} for ${user.name}\n`);
    socket.pipe(socket);
  } catch (error) {
    const code = error instanceof Refusal ? error.code : 500;
    socket.end(`HTTP/1.1 ${code} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  }
}

const notFound = (): Refusal =>
  new Refusal(404, 'NotFound', 'the server could not find the requested resource');

function send(response: ServerResponse, code: number, body: object): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
}

function refuse(response: ServerResponse, error: unknown): void {
  if (response.headersSent) return void response.destroy();
  const known = error instanceof Refusal ? error : new Refusal(500, 'InternalError', String(error));
  const { code, reason, message } = known;
  const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure' };
  send(response, code, { ...status, message, reason, code });
}
