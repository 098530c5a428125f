// What the API server may ask a node's agent over a connection of its own: commands in containers, ports of pods.
// Invariant: every connection ends with `close`.
import { isTrue } from '../../api/wire/query-flag.ts';
import { msOf } from '../configuration.ts';
import type { ContainerRuntime, ExecSession } from '../runtime/runtime.ts';
import { runningContainer } from './container-lookup.ts';
import {
  containerPath,
  type NodeRequestParts,
  nodeTarget,
  refuseDebugging,
} from './node-requests.ts';
import { PodTunnels } from './pod-tunnel.ts';
import { PortForwards } from './port-forward.ts';
import { RemoteCommands } from './remote-command.ts';
import { endWhenIdle } from './idle-connection.ts';
import { RequestFailure } from './request-failure.ts';
import { serveSpdyCommand } from './spdy-command.ts';
import { asksForSpdy, type UpgradeRequest } from './spdy-upgrade.ts';

type Asked = UpgradeRequest & { readonly path: readonly string[]; readonly query: URLSearchParams };

/** The connections of one agent. */
export class NodeUpgrades {
  readonly #parts: NodeRequestParts;
  readonly #idleMs: number;
  readonly #commands: RemoteCommands;
  readonly #forwards: PortForwards;
  readonly #tunnels = new PodTunnels();

  constructor(parts: NodeRequestParts) {
    this.#parts = parts;
    this.#idleMs = msOf(parts.configuration.streamingConnectionIdleTimeout);
    this.#commands = new RemoteCommands(this.#idleMs);
    this.#forwards = new PortForwards(parts.clock, this.#idleMs);
  }

  /** Takes a connection over and serves it to its end. Throws RequestFailure before it has, if at all. */
  async serve(connection: UpgradeRequest): Promise<void> {
    const { path, query } = nodeTarget(connection.request.url ?? '/');
    const asked = { ...connection, path, query };
    refuseDebugging(this.#parts, path);
    const [verb] = path;
    // What goes to a pod's own port is no business of the node's: it may be silent for as long as both sides like.
    if (verb !== 'podConnection') endWhenIdle(connection.socket, this.#idleMs);
    if (verb === 'exec' || verb === 'attach') await this.#command(asked);
    else if (verb === 'portForward') await this.#forward(asked);
    else if (verb === 'podConnection')
      await this.#tunnels.serve(connection, this.#parts.pods, [...path]);
    else throw new RequestFailure(404, '404 page not found');
  }

  /** Ends all connections. */
  close(): void {
    this.#commands.close();
    this.#forwards.close();
    this.#tunnels.close();
  }

  async #command(asked: Asked): Promise<void> {
    const { request, path, query } = asked;
    const { runtime, pods, clock } = this.#parts;
    const [verb] = path;
    const { id } = runningContainer(pods, containerPath(path));
    const command = query.getAll('command');
    if (verb === 'exec' && command.length === 0)
      throw new RequestFailure(400, 'you must specify at least 1 command for the exec');
    const flag = (...names: string[]) => names.some((name) => isTrue(query.get(name)));
    const wanted = {
      stdin: flag('stdin', 'input'),
      stdout: flag('stdout', 'output'),
      stderr: flag('stderr', 'error'),
      tty: flag('tty'),
    };
    const { stdin, tty } = wanted;
    const begin = (): Promise<ExecSession> =>
      verb === 'exec' ? runtime.exec(id, { command, tty, stdin }) : attached(runtime, id, stdin);
    if (asksForSpdy(request)) await serveSpdyCommand(asked, wanted, { clock, begin });
    else if (this.#commands.speaks(asked)) await this.#commands.serve(asked, wanted, begin);
    else
      throw new RequestFailure(
        400,
        'this node speaks v4.channel.k8s.io and v5.channel.k8s.io over WebSocket, and SPDY/3.1',
      );
  }

  async #forward(asked: Asked): Promise<void> {
    const [, namespace, name, ...more] = asked.path;
    if (!namespace || !name || more.length > 0) throw new RequestFailure(404, '404 page not found');
    const found = this.#parts.pods.find(namespace, name);
    if (!found) throw new RequestFailure(404, `pod "${namespace}/${name}" is not on this node`);
    const { pod } = found;
    await this.#forwards.serve(asked, asked.query.getAll('ports'), {
      name: `pod ${name}, uid ${pod.metadata.uid ?? ''}`,
      connect: (port) => this.#parts.connect(pod, port),
    });
  }
}

/**
 * Being attached ends well however the container ends, as upstream: kubectl takes any other end for a failure to attach, and shows
 * all output anew from the log. The exit code is in the pod's status.
 */
async function attached(
  runtime: ContainerRuntime,
  id: string,
  stdin: boolean,
): Promise<ExecSession> {
  const session = await runtime.attach(id, { stdin });
  const exit = session.exit.then(() => 0);
  // It may fail before anybody waits for it.
  exit.catch(() => undefined);
  return { ...session, exit };
}
