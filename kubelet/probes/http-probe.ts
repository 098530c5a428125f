// HTTP probes and hooks: one request, redirects within the pod followed, no certificate checked. Rules and texts as upstream's.
// Invariant: ends within its timeout, all redirects included; never throws for what the other side does.
import {
  type ClientRequest,
  type ClientRequestArgs,
  type IncomingMessage,
  request as httpRequest,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import type { HTTPGetAction } from '../../api/generated/types.ts';
import { dialFailure } from './dial-failure.ts';
import { portNumber } from './port-number.ts';
import type { ProbeTarget } from './probe-door.ts';
import { failed, OK, type ProbeResult } from './probe-state.ts';

/** Bytes of an answer that are read; the rest is thrown away. */
const MAX_BODY_BYTES = 10 * 1024;
/** Redirects that are followed. */
const MAX_REDIRECTS = 10;

/** Who asks: a probe, which the answer's code matters to, or a hook of a container's life, to which any answer will do. */
export type HttpAsker = 'probe' | 'lifecycle';

/** Asks once. Throws where the port has no number. */
export async function tryHttp(
  get: HTTPGetAction,
  target: ProbeTarget,
  how: { timeoutMs: number; asker: HttpAsker },
): Promise<ProbeResult> {
  const host = get.host || target.podIp;
  const scheme = get.scheme === 'HTTPS' ? 'https' : 'http';
  const port = portNumber(get.port, target.container);
  const first = new URL(`${scheme}://${bracketed(host)}:${port}${absolute(get.path)}`);
  const limit = new TimeLimit();
  const timer = target.clock.timer(how.timeoutMs, () => limit.end());
  try {
    let answer = await ask(first, headersOf(get, how.asker), limit);
    if (how.asker === 'lifecycle') return OK;
    for (let i = 0; isRedirect(answer); i++) {
      const next = new URL(answer.location ?? '', answer.url);
      if (next.hostname !== first.hostname) break;
      if (i === MAX_REDIRECTS) throw new Error(`stopped after ${MAX_REDIRECTS} redirects`);
      answer = await ask(next, headersOf(get, how.asker), limit);
    }
    return judge(answer);
  } catch (error) {
    const url = `${scheme}://${bracketed(host)}:${port}${absolute(get.path)}`;
    const why = limit.isOver ? LATE : dialFailure(error as Error, host, port);
    return failed(`Get "${url}": ${why}`);
  } finally {
    timer.cancel();
  }
}

const LATE = 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)';

/** Ends what is under way when the time is over. Signals of Node's cost a probe a tenth of its time. */
class TimeLimit {
  isOver = false;
  #call: ClientRequest | undefined;

  end(): void {
    this.isOver = true;
    this.#call?.destroy(new Error(LATE));
  }

  bounds(call: ClientRequest): void {
    this.#call = call;
    if (this.isOver) this.end();
  }
}

interface Answer {
  readonly url: URL;
  readonly code: number;
  readonly location: string | undefined;
  readonly body: string;
}

const isRedirect = ({ code, location }: Answer) => code >= 300 && code < 400 && location;

function judge({ code, body }: Answer): ProbeResult {
  if (code < 200 || code >= 400) return failed(`HTTP probe failed with statuscode: ${code}`);
  return code < 300
    ? OK
    : { ok: true, warning: `Probe terminated redirects, Response body: ${body}` };
}

function ask(url: URL, headers: Headers, limit: TimeLimit): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const onAnswer = (response: IncomingMessage) => {
      const parts: Buffer[] = [];
      let read = 0;
      const finish = () => {
        const { statusCode: code = 0, headers: said } = response;
        const body = Buffer.concat(parts).subarray(0, MAX_BODY_BYTES).toString('utf8');
        resolve({ url, code, location: said.location, body });
        response.destroy();
      };
      response.on('data', (chunk: Buffer) => {
        parts.push(chunk);
        read += chunk.length;
        if (read > MAX_BODY_BYTES) finish();
      });
      response.once('end', finish);
      response.once('error', reject);
    };
    const call =
      url.protocol === 'https:'
        ? httpsRequest(url, { headers, agent: false, rejectUnauthorized: false }, onAnswer)
        : // An agent of Node's for one connection costs more than the connection.
          httpRequest(url, { headers, createConnection: dial }, onAnswer);
    call.once('error', reject);
    call.end();
    limit.bounds(call);
  });
}

const dial = ({ host, port }: ClientRequestArgs) => connect(Number(port), host ?? '');

/** What the pod asks for; an empty Accept or User-Agent leaves that one out. */
function headersOf({ httpHeaders = [] }: HTTPGetAction, asker: HttpAsker): Headers {
  // Without what every object has: `Constructor` is a header's name as any other.
  const headers = Object.create(null) as Record<string, string[]>;
  for (const { name, value } of httpHeaders) {
    const known = (headers[name.toLowerCase()] ??= []);
    known.push(value ?? '');
  }
  const agent = asker === 'probe' ? 'kube-probe/1.36' : 'kube-lifecycle/1.36';
  const own = [
    ['user-agent', agent],
    ['accept', '*/*'],
  ] as const;
  for (const [name, value] of own) {
    headers[name] ??= [value];
    if (headers[name].every((each) => each === '')) delete headers[name];
  }
  return Object.fromEntries(
    Object.entries(headers).map(([name, all]) => [name, all.length === 1 ? (all[0] ?? '') : all]),
  );
}

type Headers = Readonly<Record<string, string | string[]>>;

const absolute = (path = '/') => (path.startsWith('/') ? path : `/${path}`);
const bracketed = (host: string) => (host.includes(':') ? `[${host}]` : host);
