// gRPC probes: one unary call of grpc.health.v1.Health/Check, over HTTP/2 without TLS. Texts as upstream's.
// A call of two small messages needs no gRPC library: it is a request whose body is a message behind five bytes, and whose trailers
// tell how it went; the agent's memory is spared one.
// Invariant: ends within its timeout; never throws for what the other side does.
import { type ClientHttp2Session, connect, constants, type IncomingHttpHeaders } from 'node:http2';
import type { GRPCAction } from '../../api/generated/types.ts';
import { dialFailure } from './dial-failure.ts';
import type { ProbeTarget } from './probe-door.ts';
import { failed, OK, type ProbeResult } from './probe-state.ts';

const PATH = '/grpc.health.v1.Health/Check';
/** Bytes of an answer that are read: a message of one small field is far shorter. */
const MAX_ANSWER_BYTES = 4 * 1024;
/** Codes of gRPC that have words of their own. */
const UNIMPLEMENTED = 12;
const DEADLINE_EXCEEDED = 4;
/** HealthCheckResponse.ServingStatus. */
const STATUSES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];

/** Asks once. */
export async function tryGrpc(
  { port, service = '' }: GRPCAction,
  { podIp, clock }: ProbeTarget,
  timeoutMs: number,
): Promise<ProbeResult> {
  const address = `${podIp}:${port}`;
  const seconds = `${timeoutMs / 1000}s`;
  const session = connect(`http://${address}`);
  const late = Promise.withResolvers<ProbeResult>();
  let connected = false;
  session.once('connect', () => {
    connected = true;
  });
  const timer = clock.timer(timeoutMs, () =>
    late.resolve(
      failed(
        connected
          ? `timeout: health rpc did not complete within ${seconds}`
          : `timeout: failed to connect service "${address}" within ${seconds}: context deadline exceeded`,
      ),
    ),
  );
  const lost = new Promise<ProbeResult>((resolve) =>
    session.on('error', (error) => {
      const why = dialFailure(error as NodeJS.ErrnoException, podIp, port);
      const what = connected
        ? 'health rpc probe failed'
        : `failed to connect service at "${address}"`;
      resolve(failed(`error: ${what}: ${why}`));
    }),
  );
  try {
    const asked = call(session, service).then((answer) => judge(answer, seconds));
    return await Promise.race([asked, lost, late.promise]);
  } finally {
    timer.cancel();
    session.destroy();
  }
}

interface Answer {
  readonly code: number;
  readonly message: string;
  readonly body: Buffer;
}

function judge({ code, message, body }: Answer, seconds: string): ProbeResult {
  if (code === UNIMPLEMENTED)
    return failed(
      `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${message}`,
    );
  if (code === DEADLINE_EXCEEDED)
    return failed(`timeout: health rpc did not complete within ${seconds}`);
  if (code !== 0)
    return failed(`error: health rpc probe failed: rpc error: code = ${code} desc = ${message}`);
  const status = STATUSES[statusIn(body)] ?? 'UNKNOWN';
  return status === 'SERVING' ? OK : failed(`service unhealthy (responded with "${status}")`);
}

/** Rejects never; a stream that breaks is told by a code of its own. */
function call(session: ClientHttp2Session, service: string): Promise<Answer> {
  return new Promise((resolve) => {
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: PATH,
      'content-type': 'application/grpc',
      'user-agent': 'kube-probe/1.36',
      te: 'trailers',
    });
    const parts: Buffer[] = [];
    let read = 0;
    // Where a call is refused at once, its end is told in the only headers that there are.
    let end: IncomingHttpHeaders = {};
    const learn = (headers: IncomingHttpHeaders) => {
      end = { ...end, ...headers };
    };
    stream.on('response', learn);
    stream.on('trailers', learn);
    stream.on('data', (chunk: Buffer) => {
      read += chunk.length;
      if (read > MAX_ANSWER_BYTES) stream.close(constants.NGHTTP2_CANCEL);
      else parts.push(chunk);
    });
    stream.on('error', () => undefined);
    stream.once('close', () => {
      const said = end['grpc-status'];
      const code = said === undefined ? UNKNOWN : Number(said);
      const why =
        said === undefined ? `unexpected HTTP status code ${String(end[':status'] ?? 0)}` : '';
      const message = decodeURIComponent(String(end['grpc-message'] ?? why));
      resolve({ code, message, body: Buffer.concat(parts) });
    });
    stream.end(request(service));
  });
}

/** gRPC's own code for what it cannot tell. */
const UNKNOWN = 2;

/** The message `{ service }` behind its five bytes: not compressed, and how long it is. */
function request(service: string): Buffer {
  const name = Buffer.from(service);
  const field =
    name.length > 0 ? Buffer.concat([Buffer.from([0x0a]), varint(name.length), name]) : name;
  const head = Buffer.alloc(5);
  head.writeUInt32BE(field.length, 1);
  return Buffer.concat([head, field]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}

/** The field `status` of the answer, which has no other; 0 where it is left out. */
function statusIn(body: Buffer): number {
  return body.length >= 7 && body[5] === 0x08 ? (body[6] ?? 0) : 0;
}
