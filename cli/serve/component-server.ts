// Health and figures of controllers and scheduler where they are processes of their own, as upstream's: HTTPS on a port of this machine.
// Invariants: health as a whole is anybody's; all else is answered to whom the API server lets, who shows no credentials being
// system:anonymous as there; connections and waits are bounded.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { SUPERUSERS } from '../../api/rbac/evaluate.ts';
import { StatusError } from '../../api/status.ts';
import type { Figures } from '../../base/figures.ts';
import type { Clock } from '../../base/clock.ts';
import { arrivalWithin, listen, type Listening } from '../../base/listening.ts';
import type { Logger } from '../../base/logger.ts';
import { type Check, createHealth, type Health } from '../../apiserver/health.ts';
import {
  ANONYMOUS,
  type CertificateSubject,
  UNVERIFIED,
} from '../../apiserver/auth/authenticator.ts';
import { shownCertificate } from '../../apiserver/http/shown-certificate.ts';
import { JSON_TYPE } from '../../apiserver/reply.ts';
import { showProcess } from '../../apiserver/metrics/server-figures.ts';
import { type Caller, DelegatedAccess } from '../../client/access/delegated-access.ts';
import type { Client } from '../../client/rest/client.ts';
import { UsageError } from './data-directory.ts';

/** Ports unless told, upstream's. */
export const COMPONENT_PORTS = { controllers: 10_257, scheduler: 10_259 } as const;
/** Connections at once; further ones are closed. */
export const MAX_COMPONENT_CONNECTIONS = 64;
/** How long a handshake may take, and a request to arrive, each; looked at as often. */
const REQUEST_MS = 5_000;
const HOST = '127.0.0.1';
/** What anybody may ask; upstream's --authorization-always-allow-paths. */
const ANYBODYS: ReadonlySet<string> = new Set(['/healthz', '/livez', '/readyz']);

/** What is served, and what with. */
export interface ComponentParts {
  /** 0 picks a free one. */
  readonly port: number;
  /** PEM; `clientCa` signs the certificates of callers. */
  readonly tls: { readonly cert: string; readonly key: string; readonly clientCa: string };
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly figures: Figures;
  readonly checks: readonly Check[];
  /** REQUEST_MS unless given. */
  readonly requestMs?: number;
}

interface Answering extends ComponentParts {
  readonly access: DelegatedAccess;
  readonly health: Health;
}

/** Serves `/healthz`, `/livez`, `/readyz` with single checks, and `/metrics`. Throws UsageError where the port cannot be had. */
export async function serveComponent(parts: ComponentParts): Promise<Listening> {
  const { tls, port, clock, logger, figures, requestMs = REQUEST_MS } = parts;
  showProcess(figures, clock);
  const health = createHealth(parts.checks, { clock, logger });
  const answering = { ...parts, health, access: new DelegatedAccess(parts) };
  const { clientCa: ca, ...pair } = tls;
  const server = createServer(
    // Who shows a certificate of somebody else is told so below, in words.
    {
      ...pair,
      ca,
      requestCert: true,
      rejectUnauthorized: false,
      ...arrivalWithin(requestMs),
    },
    (request, response) => {
      answer(answering, request, response).catch((err: unknown) => {
        logger.warn('a request for health or figures failed', { err });
        send(response, 500, 'internal server error\n');
      });
    },
  );
  const at = { port, host: HOST, maxConnections: MAX_COMPONENT_CONNECTIONS, logger };
  return listen(server, at).catch(({ message }: Error) => {
    throw new UsageError(
      `port ${port} for health and figures cannot be had (${message}); name another with --secure-port, or 0 for none`,
    );
  });
}

async function answer(
  parts: Answering,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = '', url = '' } = request;
  const [path = '', query] = url.split('?');
  const refusal = ANYBODYS.has(path) ? undefined : await refusalOf(parts, request, path);
  if (refusal) {
    response.setHeader('content-type', JSON_TYPE);
    return send(response, refusal.code, `${JSON.stringify(refusal.toStatus())}\n`);
  }
  if (method !== 'GET' && method !== 'HEAD') return send(response, 405, 'only GET is answered\n');
  if (path === '/metrics') {
    response.setHeader('content-type', parts.figures.contentType);
    return send(response, 200, await parts.figures.text());
  }
  const reply = await parts.health({ path, query: new URLSearchParams(query) });
  if (reply?.kind !== 'body')
    return send(response, 404, 'there are /healthz, /livez, /readyz and /metrics here\n');
  send(response, reply.status, Buffer.concat(reply.body).toString());
}

/** Why the caller is not answered; undefined where it may be. Rejects where its rights cannot be asked for. */
async function refusalOf(parts: Answering, request: IncomingMessage, path: string) {
  const user = await callerOf(parts, request);
  if (!user) return new StatusError('Unauthorized', 'Unauthorized');
  // Without a question, as upstream.
  if (user.groups.includes(SUPERUSERS)) return undefined;
  const verb = (request.method ?? '').toLowerCase();
  if (await parts.access.may(user, { nonResourceAttributes: { path, verb } })) return undefined;
  const why = `forbidden: User "${user.username}" cannot ${verb} path "${path}"`;
  return new StatusError('Forbidden', why);
}

/** Who calls: by certificate, by token, or nobody in particular; undefined for credentials that are wrong. */
async function callerOf({ access, logger }: Answering, request: IncomingMessage) {
  const { authorization } = request.headers;
  const shown = shownCertificate(request.socket);
  const certificate = shown === UNVERIFIED ? undefined : namesOf(shown);
  if (!certificate && authorization === undefined && shown !== UNVERIFIED) return ANONYMOUS;
  return access.identify({ authorization, certificate }).catch((err: unknown) => {
    logger.warn('who asks for health or figures cannot be found out', { err });
    return undefined;
  });
}

function namesOf({ CN, O }: CertificateSubject = {}): Caller['certificate'] {
  const all = (value: string | readonly string[] | undefined) => [value ?? []].flat();
  const [commonName] = all(CN);
  return commonName ? { commonName, organizations: all(O) } : undefined;
}

function send(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent) return void response.destroy();
  response.statusCode = status;
  response.setHeader('x-content-type-options', 'nosniff');
  if (!response.hasHeader('content-type'))
    response.setHeader('content-type', 'text/plain; charset=utf-8');
  response.end(text);
}
