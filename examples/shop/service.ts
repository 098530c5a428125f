// What both services of the shop share: an HTTP server with health, readiness, Prometheus metrics and a calm end.
// Invariant: after SIGTERM it answers what it has accepted, then exits 0; readiness turns false first.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/** An answer of a handler. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** What a service does with a request that is none of the common ones. */
export type Handler = (request: IncomingMessage, body: Buffer) => Answer | Promise<Answer>;

/** Largest request body; more gets 413. */
const BODY_LIMIT_BYTES = 64 * 1024;
/** Upper bounds of the latency histogram, seconds. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** Counts and times requests, and writes them in Prometheus' text format. */
class RequestMetrics {
  readonly #counts = new Map<number, number>();
  readonly #buckets = BUCKETS.map(() => 0);
  #sum = 0;
  #count = 0;

  observe(status: number, seconds: number): void {
    this.#counts.set(status, (this.#counts.get(status) ?? 0) + 1);
    this.#sum += seconds;
    this.#count += 1;
    BUCKETS.forEach((bound, i) => {
      if (seconds <= bound) this.#buckets[i] = (this.#buckets[i] ?? 0) + 1;
    });
  }

  text(): string {
    const lines = ['# TYPE http_requests_total counter'];
    for (const [status, count] of this.#counts)
      lines.push(`http_requests_total{code="${status}"} ${count}`);
    lines.push('# TYPE http_request_duration_seconds histogram');
    BUCKETS.forEach((bound, i) => {
      lines.push(`http_request_duration_seconds_bucket{le="${bound}"} ${this.#buckets[i]}`);
    });
    lines.push(`http_request_duration_seconds_bucket{le="+Inf"} ${this.#count}`);
    lines.push(`http_request_duration_seconds_sum ${this.#sum}`);
    lines.push(`http_request_duration_seconds_count ${this.#count}`);
    lines.push('# TYPE process_cpu_seconds_total counter');
    const { user, system } = process.cpuUsage();
    lines.push(`process_cpu_seconds_total ${(user + system) / 1e6}`);
    return `${lines.join('\n')}\n`;
  }
}

/** Reads a body up to the limit; undefined when it is larger. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_LIMIT_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function send(response: ServerResponse, answer: Answer, pod: string): void {
  const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
  response.writeHead(answer.status, {
    'content-type': typeof answer.body === 'string' ? 'text/plain' : 'application/json',
    'content-length': Buffer.byteLength(text),
    // Names the pod that answered, so that a caller can see the load being shared.
    'x-served-by': pod,
  });
  response.end(text);
}

/** Serves until SIGTERM. Settings come from the environment: PORT, HOSTNAME (the pod's name). */
export function serve(name: string, handler: Handler): Server {
  const pod = process.env['HOSTNAME'] ?? name;
  const port = Number(process.env['PORT'] ?? 8080);
  const metrics = new RequestMetrics();
  let ending = false;

  const commonAnswer = (path: string): Answer | undefined => {
    if (path === '/healthz') return { status: 200, body: 'ok\n' };
    if (path === '/metrics') return { status: 200, body: metrics.text() };
    if (path !== '/readyz') return undefined;
    return ending ? { status: 503, body: 'ending\n' } : { status: 200, body: 'ok\n' };
  };
  const answerTo = async (request: IncomingMessage): Promise<Answer> => {
    const common = commonAnswer(request.url ?? '/');
    if (common) return common;
    const startedAt = process.hrtime.bigint();
    const body = await readBody(request);
    const answer = body
      ? await handler(request, body)
      : { status: 413, body: { error: `a body may hold at most ${BODY_LIMIT_BYTES} bytes` } };
    metrics.observe(answer.status, Number(process.hrtime.bigint() - startedAt) / 1e9);
    return answer;
  };

  const server = createServer((request, response) => {
    answerTo(request).then(
      (answer) => send(response, answer, pod),
      (error: unknown) => send(response, { status: 500, body: { error: String(error) } }, pod),
    );
  });
  server.listen(port, () => process.stdout.write(`${name} serves on port ${port} as ${pod}\n`));
  process.on('SIGTERM', () => {
    ending = true;
    process.stdout.write(`${name} ends: no new connections, answering what is open\n`);
    server.close(() => process.exit(0));
    server.closeIdleConnections();
  });
  return server;
}
