// /healthz, /livez and /readyz with their single checks, in upstream's words and order.
// Invariants: readiness is what a balancer should know, liveness what a restart could mend; a check that hangs has failed;
// why a check failed is told to the log, never to whoever asks.
import type { Reply, Request } from '../api/wire/exchange.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { textReply } from './reply.ts';

/** What is asked: all health (older clients), whether to restart, whether to send requests here. */
export type Probe = 'healthz' | 'livez' | 'readyz';

/** A named check; false or a thrown error fails it, and so does no answer within CHECK_TIMEOUT_MS. */
export interface Check {
  readonly name: string;
  /** Where it counts; everywhere unless told. */
  readonly probes?: readonly Probe[];
  run(): boolean | Promise<boolean>;
}

/** How long a check may take; as upstream's of etcd. */
export const CHECK_TIMEOUT_MS = 2_000;

/** What health needs. */
export interface HealthDoors {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told of each check that was run, and whether it passed. */
  readonly told?: (name: string, probe: Probe, passed: boolean) => void;
}

/** Answers health by path; undefined for paths that are none of its own. */
export type Health = (request: Pick<Request, 'path' | 'query'>) => Promise<Reply> | undefined;

/** Health by these checks, which are run at each request, side by side. */
export function createHealth(checks: readonly Check[], doors: HealthDoors): Health {
  return ({ path, query }) => {
    const match = /^\/(healthz|livez|readyz)(?:\/(.+?))?\/?$/.exec(path);
    if (!match) return undefined;
    const probe = match[1] as Probe;
    const asked = checks.filter(({ probes }) => probes?.includes(probe) ?? true);
    if (match[2] === undefined) return report({ probe, asked, query }, doors);
    const one = asked.find(({ name }) => name === match[2]);
    return one && single(one, probe, doors);
  };
}

/** Texts are what they are, whatever a browser makes of them. */
const text = (body: string, status = 200): Reply => {
  const reply = textReply(body, status);
  if (reply.kind !== 'body') return reply;
  return { ...reply, headers: { ...reply.headers, 'x-content-type-options': 'nosniff' } };
};

async function single(check: Check, probe: Probe, doors: HealthDoors): Promise<Reply> {
  const failure = await failureOf(check, probe, doors);
  if (failure === undefined) return text('ok');
  doors.logger.warn('a health check failed', { check: check.name, err: failure });
  return text('internal server error: reason withheld\n', 500);
}

interface Report {
  readonly probe: Probe;
  readonly asked: readonly Check[];
  readonly query: URLSearchParams;
}

async function report({ probe, asked, query }: Report, doors: HealthDoors): Promise<Reply> {
  const excluded = new Set(query.getAll('exclude'));
  const lines: string[] = [];
  const failed: string[] = [];
  const failures = await Promise.all(
    asked.map(async (check) =>
      excluded.has(check.name) ? undefined : failureOf(check, probe, doors),
    ),
  );
  for (const [i, { name }] of asked.entries()) {
    const failure = failures[i];
    if (excluded.delete(name)) lines.push(`[+]${name} excluded: ok`);
    else if (failure === undefined) lines.push(`[+]${name} ok`);
    else {
      lines.push(`[-]${name} failed: reason withheld`);
      failed.push(name);
      doors.logger.warn('a health check failed', { check: name, err: failure });
    }
  }
  if (excluded.size > 0) {
    const names = Array.from(excluded, (name) => JSON.stringify(name)).join(', ');
    lines.push(`warn: some health checks cannot be excluded: no matches for ${names}`);
  }
  if (failed.length === 0 && !query.has('verbose')) return text('ok');
  const outcome = failed.length === 0 ? 'passed' : 'failed';
  const status = failed.length === 0 ? 200 : 500;
  return text(`${lines.join('\n')}\n${probe} check ${outcome}\n`, status);
}

/** Why the check failed; undefined where it passed. */
async function failureOf(check: Check, probe: Probe, doors: HealthDoors): Promise<unknown> {
  const failure = await lookedInto(check, doors);
  doors.told?.(check.name, probe, failure === undefined);
  return failure;
}

async function lookedInto(check: Check, { clock }: HealthDoors): Promise<unknown> {
  let timer: { cancel(): void } | undefined;
  const late = new Promise<boolean>((_resolve, reject) => {
    const tooLate = () => reject(new Error(`no answer within ${CHECK_TIMEOUT_MS} ms`));
    timer = clock.timer(CHECK_TIMEOUT_MS, tooLate);
  });
  try {
    const well = await Promise.race([check.run(), late]);
    return well ? undefined : new Error('not well');
  } catch (error) {
    return error;
  } finally {
    timer?.cancel();
  }
}
