// /healthz, /livez and /readyz with their single checks, and /metrics in Prometheus' text format. Wraps prom-client.
// Invariant: readiness is what a balancer should know; a check that fails names itself under ?verbose.
import { Counter, Histogram, Registry as PrometheusRegistry } from 'prom-client';
import type { Reply, Request } from '../api/wire/exchange.ts';
import { isTrue } from '../api/wire/query-flag.ts';
import type { AuditRecord } from './options.ts';
import { textReply } from './reply.ts';

/** A named check; false or a thrown error fails it. */
export interface Check {
  readonly name: string;
  /** Part of liveness too, not only of readiness. */
  readonly live: boolean;
  run(): boolean | Promise<boolean>;
}

/** Answers health and figures by path. */
export interface Health {
  handle(request: Request): Promise<Reply> | undefined;
  /** Counts an answered request, under upstream's metric names. */
  count(record: AuditRecord): void;
}

/** Upper bounds of request durations, seconds. */
const BUCKETS = [0.001, 0.005, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Health by these checks. */
export function createHealth(checks: readonly Check[]): Health {
  const registry = new PrometheusRegistry();
  const requests = new Counter({
    name: 'apiserver_request_total',
    help: 'Requests by verb and HTTP response code.',
    labelNames: ['verb', 'code'],
    registers: [registry],
  });
  const durations = new Histogram({
    name: 'apiserver_request_duration_seconds',
    help: 'Time from a request to its answer, in seconds, by verb.',
    labelNames: ['verb'],
    buckets: BUCKETS,
    registers: [registry],
  });
  return {
    handle(request) {
      if (request.path === '/metrics')
        return registry.metrics().then((text) => ({
          kind: 'body',
          status: 200,
          headers: { 'content-type': registry.contentType },
          body: [Buffer.from(text)],
        }));
      const match = /^\/(healthz|livez|readyz)(?:\/([\w-]+))?$/.exec(request.path);
      if (!match) return undefined;
      const asked = checks.filter((check) => match[1] === 'readyz' || check.live);
      const some =
        match[2] === undefined ? asked : asked.filter((check) => check.name === match[2]);
      if (match[2] !== undefined && some.length === 0)
        return Promise.resolve(textReply('no such check\n', 404));
      return report(match[1] ?? '', some, isTrue(request.query.get('verbose')));
    },
    count({ verb, code, ms }) {
      requests.inc({ verb: verb.toUpperCase(), code: String(code) });
      if (verb !== 'watch') durations.observe({ verb: verb.toUpperCase() }, ms / 1000);
    },
  };
}

async function report(what: string, checks: readonly Check[], verbose: boolean): Promise<Reply> {
  const lines: string[] = [];
  let healthy = true;
  for (const check of checks) {
    const ok = await passes(check);
    healthy &&= ok;
    lines.push(`[${ok ? '+' : '-'}]${check.name} ${ok ? 'ok' : 'failed'}`);
  }
  if (healthy && !verbose) return textReply('ok');
  lines.push(`${what} check ${healthy ? 'passed' : 'failed'}`);
  return textReply(`${lines.join('\n')}\n`, healthy ? 200 : 500);
}

async function passes(check: Check): Promise<boolean> {
  try {
    return await check.run();
  } catch {
    // A check that throws has failed; the report says which.
    return false;
  }
}
