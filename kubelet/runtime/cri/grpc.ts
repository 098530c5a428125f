// Calls over gRPC on a Unix socket; the only file that knows the gRPC package, which is loaded when the first connection is made.
// Invariants: every call has an end in time; an answer has a greatest size; a runtime that is gone is connected to again by itself.
import type { Client } from '@grpc/grpc-js';
import type { Clock } from '../../../base/clock.ts';
import type { Message } from './protobuf-codec.ts';

/** The largest answer, as upstream's agent takes. */
export const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
/** How long a call may take unless told otherwise, as upstream. */
export const CALL_TIMEOUT_MS = 120_000;
/** How soon a connection that was lost is tried again, and at most how late. */
const RECONNECT_MS = { first: 100, last: 1_000 };

/** A procedure: its name, what it takes, what it answers. */
export interface Verb<Request, Response> {
  /** `/package.Service/Method` */
  readonly path: string;
  readonly request: Message<Request>;
  readonly response: Message<Response>;
}

/** Names of the status codes that callers tell apart. */
export type GrpcCode =
  | 'CANCELLED'
  | 'DEADLINE_EXCEEDED'
  | 'NOT_FOUND'
  | 'UNAVAILABLE'
  | 'UNIMPLEMENTED'
  | 'OTHER';

/** A call that failed: what the other side said. */
export class GrpcError extends Error {
  override readonly name = 'GrpcError';
  readonly code: GrpcCode;

  constructor(code: GrpcCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** How a call is made. */
export interface CallLimits {
  /** CALL_TIMEOUT_MS unless given. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** A connection to one endpoint. */
export interface GrpcConnection {
  /** Rejects with GrpcError, or with the signal's reason. */
  call<Request, Response>(
    verb: Verb<Request, Response>,
    request: Partial<Request>,
    limits?: CallLimits,
  ): Promise<Response>;
  /** Answers as they come, without an end in time, until the signal aborts. Throws GrpcError. */
  stream<Request, Response>(
    verb: Verb<Request, Response>,
    request: Partial<Request>,
    signal: AbortSignal,
  ): AsyncGenerator<Response>;
  close(): void;
}

const CODES = new Map<number, GrpcCode>([
  [1, 'CANCELLED'],
  [4, 'DEADLINE_EXCEEDED'],
  [5, 'NOT_FOUND'],
  [12, 'UNIMPLEMENTED'],
  [14, 'UNAVAILABLE'],
]);

/** Connects when the first call is made; `endpoint` as upstream's flag has it: `unix:///run/…sock`. */
export async function connectGrpc(endpoint: string, clock: Clock): Promise<GrpcConnection> {
  const { Client: GrpcClient, credentials } = await import('@grpc/grpc-js');
  const client = new GrpcClient(endpoint, credentials.createInsecure(), {
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
    'grpc.initial_reconnect_backoff_ms': RECONNECT_MS.first,
    'grpc.min_reconnect_backoff_ms': RECONNECT_MS.first,
    'grpc.max_reconnect_backoff_ms': RECONNECT_MS.last,
    'grpc.enable_http_proxy': 0,
    // A socket on this host has no name that says who is there.
    'grpc.default_authority': 'localhost',
  });
  return {
    call: (verb, request, limits = {}) => callOnce({ client, clock, limits }, verb, request),
    stream: (verb, request, signal) => streamOf(client, verb, { request, signal }),
    close: () => client.close(),
  };
}

interface CallDoors {
  readonly client: Client;
  readonly clock: Clock;
  readonly limits: CallLimits;
}

function callOnce<Request, Response>(
  { client, clock, limits }: CallDoors,
  verb: Verb<Request, Response>,
  request: Partial<Request>,
): Promise<Response> {
  const { timeoutMs = CALL_TIMEOUT_MS, signal } = limits;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const abort = () => call.cancel();
    const call = client.makeUnaryRequest<Partial<Request>, Response>(
      verb.path,
      (value) => Buffer.from(verb.request.encode(value)),
      (bytes) => verb.response.decode(bytes),
      request,
      { deadline: clock.now() + timeoutMs },
      (error, answer) => {
        signal?.removeEventListener('abort', abort);
        if (signal?.aborted) reject(signal.reason as Error);
        else if (error) reject(failureOf(error));
        else resolve(answer as Response);
      },
    );
    signal?.addEventListener('abort', abort, { once: true });
  });
}

async function* streamOf<Request, Response>(
  client: Client,
  verb: Verb<Request, Response>,
  { request, signal }: { request: Partial<Request>; signal: AbortSignal },
): AsyncGenerator<Response> {
  if (signal.aborted) return;
  const call = client.makeServerStreamRequest<Partial<Request>, Response>(
    verb.path,
    (value) => Buffer.from(verb.request.encode(value)),
    (bytes) => verb.response.decode(bytes),
    request,
  );
  const abort = () => call.cancel();
  signal.addEventListener('abort', abort, { once: true });
  try {
    for await (const answer of call) yield answer as Response;
  } catch (error) {
    if (!signal.aborted) throw failureOf(error);
  } finally {
    signal.removeEventListener('abort', abort);
    call.cancel();
  }
}

/** The reason that a call failed with, as its caller may tell it apart. */
function failureOf(error: unknown): GrpcError {
  const { code, details, message } = error as { code?: number; details?: string; message: string };
  const said = (details || message).replace(/\.? Resolution note: $/, '');
  return new GrpcError(CODES.get(code ?? 0) ?? 'OTHER', said);
}
