// One try of a probe: a command in the container, an HTTP request or a connection to the pod's address.
// Invariant: a try ends within its timeout, and never throws: what goes wrong is a failed result.
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import type { Container, Probe } from '../../api/generated/types.ts';
import { RuntimeError } from '../runtime/runtime.ts';
import type { ProbeDoor, ProbeTarget } from './probe-door.ts';
import type { ProbeResult } from './probe-state.ts';

/** Bytes of an answer that are read; the rest is thrown away. */
const MAX_BODY_BYTES = 10 * 1024;
const OK: ProbeResult = { ok: true };
const failed = (message: string): ProbeResult => ({ ok: false, message });

/** Tries once. */
export async function tryProbe(probe: Probe, target: ProbeTarget): Promise<ProbeResult> {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000;
  try {
    if (probe.exec) return await tryExec(probe.exec.command ?? [], target, timeoutMs);
    if (probe.httpGet) return await tryHttp(probe.httpGet, target, timeoutMs);
    if (probe.tcpSocket) {
      const { host = target.podIp, port } = probe.tcpSocket;
      return await tryTcp({ host, port: portNumber(port, target.container) }, target, timeoutMs);
    }
    const kind = probe.grpc ? 'grpc' : 'nothing';
    return failed(`this node does not support probes of kind ${kind}`);
  } catch (error) {
    return failed((error as Error).message);
  }
}

/** Containers are asked for what their pods say, over the network that this process is in. */
export const networkProbes: ProbeDoor = {
  probesOf: (_, container) => container,
  try: (_, probe, target) => tryProbe(probe, target),
};

async function tryExec(
  command: readonly string[],
  { runtime, containerId }: ProbeTarget,
  timeoutMs: number,
): Promise<ProbeResult> {
  const run = runtime.execSync(containerId, command, timeoutMs);
  const { exitCode, stdout, stderr } = await run.catch((error: unknown) => {
    if (!(error instanceof RuntimeError) || error.reason !== 'ExecTimeout') throw error;
    const what = `"${command.join(' ')}" timed out after ${timeoutMs / 1000}s`;
    throw new Error(`command timed out: ${what}`, { cause: error });
  });
  if (exitCode === 0) return OK;
  const said = Buffer.concat([stdout, stderr]).toString('utf8').trim().slice(0, 1024);
  return failed(said || `command exited with ${exitCode}`);
}

type HttpGet = NonNullable<Probe['httpGet']>;

function tryHttp(get: HttpGet, target: ProbeTarget, timeoutMs: number): Promise<ProbeResult> {
  const host = get.host || target.podIp;
  const port = portNumber(get.port, target.container);
  const https = get.scheme === 'HTTPS';
  const path = get.path || '/';
  const url = `${https ? 'https' : 'http'}://${host}:${port}${path}`;
  const headers: Record<string, string> = { 'user-agent': 'kube-probe/pinnace', accept: '*/*' };
  for (const { name, value } of get.httpHeaders ?? []) headers[name.toLowerCase()] = value;
  return new Promise((resolve) => {
    const options = { host, port, path, headers, agent: false as const };
    const send = https ? httpsRequest : httpRequest;
    const call = send(https ? { ...options, rejectUnauthorized: false } : options, (response) => {
      const { statusCode = 0 } = response;
      let read = 0;
      response.on('data', (chunk: Buffer) => {
        read += chunk.length;
        if (read > MAX_BODY_BYTES) response.destroy();
      });
      response.on('error', () => undefined);
      // A redirect counts as success, as upstream has it for other hosts.
      const ok = statusCode >= 200 && statusCode < 400;
      resolve(ok ? OK : failed(`HTTP probe failed with statuscode: ${statusCode}`));
    });
    const timer = target.clock.timer(timeoutMs, () =>
      call.destroy(
        new Error('context deadline exceeded (Client.Timeout exceeded while awaiting headers)'),
      ),
    );
    call.on('close', () => timer.cancel());
    call.on('error', (error) => resolve(failed(`Get "${url}": ${dialFailure(error, host, port)}`)));
    call.end();
  });
}

/** As Go programs word it, which people search for. */
function dialFailure(error: NodeJS.ErrnoException, host: string, port: number): string {
  if (error.code === 'ECONNREFUSED') return `dial tcp ${host}:${port}: connect: connection refused`;
  if (error.code === 'EHOSTUNREACH') return `dial tcp ${host}:${port}: connect: no route to host`;
  if (error.code === 'ECONNRESET') return 'read: connection reset by peer';
  return error.message;
}

function tryTcp(
  at: { host: string; port: number },
  { clock }: ProbeTarget,
  timeoutMs: number,
): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = connect(at.port, at.host);
    const finish = (result: ProbeResult) => {
      timer.cancel();
      socket.destroy();
      resolve(result);
    };
    const timer = clock.timer(timeoutMs, () =>
      finish(failed(`dial tcp ${at.host}:${at.port}: i/o timeout`)),
    );
    socket.once('connect', () => finish(OK));
    socket.once('error', (error) => finish(failed(dialFailure(error, at.host, at.port))));
  });
}

/** A port by number or by the name that the container gives it. */
export function portNumber(port: number | string | undefined, container: Container): number {
  if (typeof port === 'number') return port;
  const named = container.ports?.find((each) => each.name === port)?.containerPort;
  const number = named ?? Number(port);
  if (!Number.isInteger(number)) throw new Error(`couldn't find port: "${port}"`);
  return number;
}
