// The whole way of a request, no sockets: see docs/request-lifecycle.md, whose drawing this function follows line by line.
// Invariant: never throws; every failure leaves through errorReply, and every request is told to the audit once.
import { methodNotAllowed, STATUS_CODES, StatusError } from '../api/status.ts';
import type { Handler, Reply, Request, UserInfo } from '../api/wire/exchange.ts';
import { actingAs } from './auth/impersonation.ts';
import type { RbacAuthorizer } from './auth/rbac.ts';
import type { Discovery } from './discovery/discovery.ts';
import type { ServerParts } from './exchange.ts';
import { routeOf } from './handlers/routes.ts';
import { inServedVersion } from './handlers/served-version.ts';
import { type Inflight, type InflightKind, untilOver } from './inflight.ts';
import type { Authorize } from './metrics/access-figures.ts';
import type { AnsweredRequest } from './metrics/request-figures.ts';
import { formatted } from './negotiation.ts';
import { prettyIfAsked } from './pretty-json.ts';
import { fromStorage } from './registry/registry.ts';
import { errorReply, textReply, withWarnings } from './reply.ts';
import { type RequestInfo, requestInfo, type ResourceInfo } from './request-info.ts';
import { StorageError } from './storage/storage.ts';
import { readYamlAhead } from './yaml-bodies.ts';

/** Resources that are not stored: reviews, metrics. Answers undefined for what is none of its own. */
export type VirtualHandler = (
  request: Request,
  user: UserInfo,
  info: ResourceInfo,
) => Promise<Reply> | undefined;

/** Requests that are other API servers' to answer. */
export interface OtherServers {
  takes(info: RequestInfo): boolean;
  answer(
    request: Request,
    about: { readonly user: UserInfo; readonly info: RequestInfo },
  ): Promise<Reply>;
}

/** What the pipeline runs on. */
export interface PipelineParts {
  readonly server: ServerParts;
  readonly rbac: RbacAuthorizer;
  readonly authorize: Authorize;
  readonly discovery: Discovery;
  readonly others: OtherServers;
  readonly virtual: readonly VirtualHandler[];
  /** Health and figures by path; undefined for paths that are none of theirs. */
  readonly paths: (request: Request) => Promise<Reply> | Reply | undefined;
  readonly inflight: Inflight;
  /** Told of each request once it is answered: what is to be sent. */
  readonly answered: (answer: AnsweredRequest) => Reply;
}

/** The handler of a server. */
export function createPipeline(parts: PipelineParts): Handler {
  const { clock, logger } = parts.server;
  return async (request, caller) => {
    const startedAt = clock.monotonic();
    let user = caller;
    let info: RequestInfo | undefined;
    let entered: InflightKind | undefined;
    const warnings: string[] = [];
    const annotations = new Map<string, string>();
    let reply: Reply;
    try {
      info = requestInfo(request);
      user = actingAs(parts.rbac, caller, request);
      // What waits for another server is counted with that server, so that one that hangs takes no room from the others.
      if (!parts.others.takes(info)) entered = parts.inflight.enter(user, info);
      parts.authorize(user, info);
      const asked = { request, user, info, warnings, annotations };
      const answered = formatted(request, await answer(parts, asked));
      reply = answered instanceof Promise ? await answered : answered;
    } catch (error) {
      const known = statusOf(error);
      const { path, method } = request;
      if (!known) logger.error('request failed', { err: error, path, verb: info?.verb ?? method });
      reply = errorReply(
        known ??
          new StatusError('InternalError', 'Internal error occurred: see the log of the server'),
      );
    }
    const leave = () => parts.inflight.leave(entered);
    if (entered === 'longRunning') reply = untilOver(reply, request, leave);
    else leave();
    reply = prettyIfAsked(request, reply);
    const ms = clock.monotonic() - startedAt;
    const counted = entered !== undefined;
    reply = parts.answered({ request, info, user, reply, ms, entered: counted, annotations });
    return withWarnings(reply, warnings);
  };
}

interface Asked {
  readonly request: Request;
  readonly user: UserInfo;
  readonly info: RequestInfo;
  readonly warnings: string[];
  readonly annotations: Map<string, string>;
}

async function answer(parts: PipelineParts, asked: Asked): Promise<Reply> {
  const { request, info, user, warnings, annotations } = asked;
  if (parts.others.takes(info)) return parts.others.answer(request, { user, info });
  const reading = request.method === 'GET' || request.method === 'HEAD';
  if (info.kind === 'path' || info.resource === '') {
    const found =
      (reading ? parts.discovery.handle(request) : undefined) ?? (await parts.paths(request));
    return found ?? textReply(NO_PAGE, STATUS_CODES.NotFound);
  }
  const ahead = readYamlAhead(request);
  if (ahead) await ahead;
  for (const virtual of parts.virtual) {
    const reply = virtual(request, user, info);
    if (reply) return reply;
  }
  const definition = parts.server.scheme.byResource(info.group, info.version, info.resource);
  if (!definition) throw unknownPath();
  checkScope(info, definition.ref.namespaced);
  if (definition.deprecation !== undefined) warnings.push(definition.deprecation);
  const { server } = parts;
  const exchange = { request, user, info, definition, server, warnings, annotations };
  return inServedVersion(definition, await routeOf(exchange)(exchange));
}

/** Cluster-scoped objects have no namespace. Across namespaces objects are read, neither named nor written. */
function checkScope(info: ResourceInfo, namespaced: boolean): void {
  const outside = info.namespace !== '' && !namespaced && info.resource !== 'namespaces';
  const unplaced = namespaced && info.namespace === '';
  if (outside || (unplaced && info.name !== undefined)) throw unknownPath();
  if (unplaced && info.verb !== 'list' && info.verb !== 'watch') throw methodNotAllowed();
}

/** What upstream says of a path that is no resource's; clients make a Status of it themselves. */
const NO_PAGE = '404 page not found\n';

function unknownPath(): StatusError {
  return new StatusError('NotFound', 'the server could not find the requested resource');
}

/** The Status of a failure; undefined for defects. */
function statusOf(error: unknown): StatusError | undefined {
  if (error instanceof StatusError) return error;
  if (error instanceof StorageError) return fromStorage(error);
  return undefined;
}
