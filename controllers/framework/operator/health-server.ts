// The HTTP port of an operator: health, readiness and figures, for kubelets and Prometheus. Plain HTTP, nothing secret on it.
// Invariant: every answer is made at once from what is known; connections, headers and waits are bounded; close() leaves none.
import { createServer, type ServerResponse } from 'node:http';
import type { Figures } from '../../../base/figures.ts';
import { arrivalWithin, listen, type Listening } from '../../../base/listening.ts';
import type { Logger } from '../../../base/logger.ts';
import { OperatorFailure } from './operator-failure.ts';

/** Connections at once; further ones are closed. */
export const MAX_HEALTH_CONNECTIONS = 64;
/** How long a request may take to arrive; looked at as often. */
const REQUEST_MS = 5_000;

/** Where the port is. */
export interface HealthOptions {
  /** 0 picks a free one. */
  readonly port: number;
  /** All addresses unless given: kubelets come from outside the pod. */
  readonly host?: string;
}

/** What is told there. */
export interface HealthParts {
  readonly figures: Figures;
  readonly logger: Logger;
  /** What has to be true before the operator is ready, and whether it is. */
  checks(): Iterable<readonly [name: string, ready: boolean]>;
  /** REQUEST_MS unless given. */
  readonly requestMs?: number;
}

/** Serves `/healthz`, `/livez`, `/readyz` and `/metrics`. Throws OperatorFailure where the port cannot be had. */
export async function serveHealth(options: HealthOptions, parts: HealthParts): Promise<Listening> {
  const { host, port } = options;
  const limits = { ...arrivalWithin(parts.requestMs ?? REQUEST_MS), maxHeaderSize: 8192 };
  const server = createServer(limits, (request, response) => {
    const [path] = (request.url ?? '').split('?');
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return send(response, 405, 'only GET and HEAD are answered here\n');
    answer(path ?? '', parts, response).catch(() => response.destroy());
  });
  const { logger } = parts;
  const at = { port, host, maxConnections: MAX_HEALTH_CONNECTIONS, logger };
  return listen(server, at).catch(({ code, message }: NodeJS.ErrnoException) => {
    const why = code === 'EADDRINUSE' ? 'is taken; name another by health: { port }' : message;
    const where = host === undefined ? '' : ` on ${host}`;
    throw new OperatorFailure(`the health port ${port}${where} ${why}`);
  });
}

async function answer(path: string, parts: HealthParts, response: ServerResponse): Promise<void> {
  switch (path) {
    case '/healthz':
    case '/livez':
      return send(response, 200, 'ok\n');
    case '/readyz': {
      const checks = [...parts.checks()];
      const lines = checks.map(([name, ready]) => `[${ready ? '+' : '-'}]${name}\n`);
      return send(
        response,
        checks.every(([, ready]) => ready) ? 200 : 503,
        lines.join('') || 'ok\n',
      );
    }
    case '/metrics':
      response.setHeader('content-type', parts.figures.contentType);
      return send(response, 200, await parts.figures.text());
    default:
      return send(response, 404, 'there are /healthz, /livez, /readyz and /metrics here\n');
  }
}

function send(response: ServerResponse, status: number, text: string): void {
  response.statusCode = status;
  if (!response.hasHeader('content-type')) response.setHeader('content-type', 'text/plain');
  response.end(text);
}
