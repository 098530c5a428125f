// One try of a probe: a command in the container, a request or a connection to the pod's address.
// Invariant: a try ends within its timeout, and never throws: what goes wrong is a failed result.
import { connect } from 'node:net';
import type { Probe } from '../../api/generated/types.ts';
import { RuntimeError } from '../runtime/runtime.ts';
import { dialFailure } from './dial-failure.ts';
import { tryGrpc } from './grpc-probe.ts';
import { tryHttp } from './http-probe.ts';
import { portNumber } from './port-number.ts';
import type { ProbeDoor, ProbeKind, ProbeTarget } from './probe-door.ts';
import { errored, failed, OK, type ProbeResult } from './probe-state.ts';

/** Tries once. What says nothing of the container, as a runtime that cannot run the command, is an error and no failure. */
export async function tryProbe(
  probe: Probe,
  target: ProbeTarget,
  kind: ProbeKind | 'hook' = 'readiness',
): Promise<ProbeResult> {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000;
  try {
    if (probe.exec) return await tryExec(probe.exec.command ?? [], target, timeoutMs);
    const asker = kind === 'hook' ? 'lifecycle' : 'probe';
    if (probe.httpGet) return await tryHttp(probe.httpGet, target, { timeoutMs, asker });
    if (probe.grpc) return await tryGrpc(probe.grpc, target, timeoutMs);
    const { host = target.podIp, port } = probe.tcpSocket ?? {};
    return await tryTcp({ host, port: portNumber(port, target.container) }, target, timeoutMs);
  } catch (error) {
    return errored((error as Error).message);
  }
}

/** Containers are asked for what their pods say, over the network that this process is in. */
export const networkProbes: ProbeDoor = {
  probesOf: (_, container) => container,
  try: (kind, probe, target) => tryProbe(probe, target, kind),
};

async function tryExec(
  command: readonly string[],
  { runtime, containerId }: ProbeTarget,
  timeoutMs: number,
): Promise<ProbeResult> {
  const ran = await runtime.execSync(containerId, command, timeoutMs).catch((error: unknown) => {
    if (error instanceof RuntimeError && error.reason === 'ExecTimeout') return undefined;
    throw error;
  });
  if (!ran) {
    const what = `"${command.join(' ')}" timed out after ${timeoutMs / 1000}s`;
    return failed(`command timed out: ${what}`);
  }
  const { exitCode, stdout, stderr } = ran;
  if (exitCode === 0) return OK;
  const said = Buffer.concat([stdout, stderr]).toString('utf8').trim().slice(0, 1024);
  return failed(said || `command exited with ${exitCode}`);
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
