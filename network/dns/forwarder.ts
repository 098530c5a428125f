// Passes questions about other names on to the host's own name servers, as bytes.
// Invariant: at most MAX_IN_FLIGHT questions wait at once, each for at most TIMEOUT_MS; more are refused at once.
import { createSocket, type Socket } from 'node:dgram';
import type { Clock } from '../../base/clock.ts';

/** Questions waiting at once. */
const MAX_IN_FLIGHT = 200;
/** How long a name server may take before the next is asked. */
const TIMEOUT_MS = 2_000;

/** A way to the name servers of the host. */
export class Forwarder {
  readonly #servers: readonly string[];
  readonly #clock: Clock;
  #inFlight = 0;

  /** `resolvConf`: the text of the host's /etc/resolv.conf. Loopback servers are usable: the agent runs on the host. */
  constructor(resolvConf: string, clock: Clock) {
    this.#servers = nameServers(resolvConf);
    this.#clock = clock;
  }

  /** The answer of the first name server that gives one; undefined when none does. */
  async ask(query: Buffer): Promise<Buffer | undefined> {
    if (this.#inFlight >= MAX_IN_FLIGHT) return undefined;
    this.#inFlight += 1;
    try {
      for (const server of this.#servers) {
        const answer = await this.#askOne(server, query);
        if (answer) return answer;
      }
      return undefined;
    } finally {
      this.#inFlight -= 1;
    }
  }

  #askOne(server: string, query: Buffer): Promise<Buffer | undefined> {
    return new Promise((resolve) => {
      const socket: Socket = createSocket(server.includes(':') ? 'udp6' : 'udp4');
      let over = false;
      const finish = (answer: Buffer | undefined) => {
        if (over) return;
        over = true;
        timer.cancel();
        socket.removeAllListeners();
        socket.on('error', () => undefined);
        socket.close();
        resolve(answer);
      };
      const timer = this.#clock.timer(TIMEOUT_MS, () => finish(undefined));
      socket.on('error', () => finish(undefined));
      socket.on('message', (answer) => {
        // The id tells that this answers the question just asked.
        if (answer.length > 2 && answer.readUInt16BE(0) === query.readUInt16BE(0)) finish(answer);
      });
      // No way there is known at once: the next server, or the failure, need not wait for the timeout.
      const connected = (error?: Error) => {
        if (error) finish(undefined);
        else socket.send(query, (failed) => failed && finish(undefined));
      };
      socket.connect(53, server, connected as () => void);
    });
  }
}

/** At most three, as resolvers take them (resolv.conf(5), MAXNS). */
export function nameServers(resolvConf: string): string[] {
  return resolvConf
    .split('\n')
    .map((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1])
    .filter((server): server is string => server !== undefined)
    .slice(0, 3);
}
