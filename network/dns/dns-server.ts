// The name server of a node: cluster names from its own view of Services, other names from the host's servers.
// Invariant: never answers a question about the cluster's domain from outside the cluster's own view.
import { createSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import { EndpointSlices, Services } from '../../api/kinds.ts';
import type { InformerFactory } from '../../client/informer/informer.ts';
import { SERVICE_NAME_LABEL } from '../services/rows.ts';
import { Forwarder } from './forwarder.ts';
import { aliasIn, lookUp, type NameView } from './records.ts';
import {
  type Answer,
  decodeQuery,
  encodeAnswer,
  encodeQuestion,
  type Packet,
  type Question,
  RCODE,
} from './wire.ts';

const BY_SERVICE = 'dns/service';
const BY_CLUSTER_IP = 'dns/cluster-ip';
/** Connections over TCP at once. */
const MAX_TCP_CONNECTIONS = 100;
/** A TCP connection with no question for this long is closed. */
const TCP_IDLE_MS = 10_000;
/** Seconds that a "no such name" may be kept. */
const NEGATIVE_TTL = 5;

/** What the server needs. */
export interface DnsServerOptions {
  readonly informers: InformerFactory;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly host: string;
  readonly port: number;
  /** Without dots at its ends; `cluster.local` by custom. */
  readonly domain: string;
  /** Text of the host's /etc/resolv.conf. */
  readonly hostResolvConf: string;
}

/** Answers questions until its signal aborts. */
export class DnsServer {
  readonly #options: DnsServerOptions;
  readonly #view: NameView;
  readonly #forwarder: Forwarder;

  constructor(options: DnsServerOptions) {
    this.#options = options;
    this.#view = viewOf(options.informers);
    this.#forwarder = new Forwarder(options.hostResolvConf, options.clock);
  }

  /** Listens on UDP and TCP; resolves when aborted. Rejects when it cannot listen. */
  async run(signal: AbortSignal): Promise<void> {
    const { host, port, logger } = this.#options;
    const udp = createSocket({ type: 'udp4', reuseAddr: true });
    const tcp = createServer();
    const sockets = new Set<Socket>();
    tcp.maxConnections = MAX_TCP_CONNECTIONS;
    tcp.on('connection', (socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      this.#serveTcp(socket).catch(() => socket.destroy());
    });
    udp.on('message', (bytes, from) => {
      // Nobody can be answered on port 0, and trying would throw.
      if (from.port === 0) return;
      this.#answer(bytes, 'udp')
        .then((answer) => {
          if (answer && !signal.aborted) udp.send(answer, from.port, from.address);
        })
        .catch((err: unknown) => logger.error('DNS question failed', { err }));
    });
    udp.bind(port, host);
    tcp.listen(port, host);
    // `once` rejects with the error of a port that is in use.
    await Promise.all([once(udp, 'listening'), once(tcp, 'listening')]);
    udp.on('error', (err) => logger.error('DNS socket failed', { err }));
    tcp.on('error', (err) => logger.error('DNS server failed', { err }));
    if (!signal.aborted) await once(signal, 'abort');
    udp.close();
    for (const socket of sockets) socket.destroy();
    await closeServer(tcp);
  }

  /** One question at a time: a client that does not read its answers gets no more of them. */
  async #serveTcp(socket: Socket): Promise<void> {
    let buffered = Buffer.alloc(0);
    socket.setTimeout(TCP_IDLE_MS, () => socket.destroy());
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      buffered = Buffer.concat([buffered, chunk]);
      // Messages are at most 65,535 bytes (a 16-bit length), so the buffer is bounded by one and a chunk.
      while (buffered.length >= 2 && buffered.length >= 2 + buffered.readUInt16BE(0)) {
        const end = 2 + buffered.readUInt16BE(0);
        const answer = await this.#answer(buffered.subarray(2, end), 'tcp');
        buffered = buffered.subarray(end);
        if (answer && !socket.write(withLength(answer))) await once(socket, 'drain');
      }
    }
  }

  async #answer(bytes: Buffer, transport: 'udp' | 'tcp'): Promise<Buffer | undefined> {
    const query = decodeQuery(bytes);
    const question = query?.questions?.[0];
    if (!query || query.type !== 'query') return undefined;
    if (!question) return encodeAnswer(query, { rcode: RCODE.formatError, answers: [] }, transport);
    const { domain } = this.#options;
    const result = lookUp(this.#view, domain, { name: question.name, type: question.type });
    switch (result.kind) {
      case 'found':
        return encodeAnswer(
          query,
          this.#found(await this.#whole(query, question, result)),
          transport,
        );
      case 'unknown':
        return encodeAnswer(
          query,
          { rcode: RCODE.nameError, answers: [], authorities: [this.#authority()] },
          transport,
        );
      case 'outside':
        return (await this.#forwarder.ask(bytes)) ?? failure(query, transport);
    }
  }

  /** The answers, and where they end with a name outside of the cluster, what the host's servers say of that. */
  async #whole(
    query: Packet,
    { type }: Question,
    { answers }: { answers: readonly Answer[] },
  ): Promise<readonly Answer[]> {
    const name = aliasIn(answers);
    if (name === undefined || type === 'CNAME' || isWithin(name, this.#options.domain))
      return answers;
    const told = await this.#forwarder.ask(encodeQuestion(query, { name, type }));
    return [...answers, ...((told && decodeQuery(told)?.answers) ?? [])];
  }

  #found(answers: readonly Answer[]) {
    const authorities = answers.length === 0 ? [this.#authority()] : [];
    return { rcode: RCODE.noError, answers, authorities };
  }

  #authority(): Answer {
    const { domain } = this.#options;
    return {
      name: domain,
      type: 'SOA',
      ttl: NEGATIVE_TTL,
      data: {
        mname: `ns.dns.${domain}`,
        rname: `hostmaster.${domain}`,
        serial: 1,
        refresh: 7200,
        retry: 1800,
        expire: 86400,
        minimum: NEGATIVE_TTL,
      },
    };
  }
}

function isWithin(name: string, domain: string): boolean {
  const bare = name.toLowerCase().replace(/\.$/, '');
  return bare === domain || bare.endsWith(`.${domain}`);
}

function failure(query: Packet, transport: 'udp' | 'tcp'): Buffer {
  return encodeAnswer(query, { rcode: RCODE.serverFailure, answers: [] }, transport);
}

function withLength(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

async function closeServer(server: Server): Promise<void> {
  await new Promise<void>((resolve) => server.close(() => resolve()));
}

function viewOf(informers: InformerFactory): NameView {
  const services = informers.informer(Services);
  const slices = informers.informer(EndpointSlices);
  services.addIndex(BY_CLUSTER_IP, (service) => [service.spec?.clusterIP ?? '']);
  slices.addIndex(BY_SERVICE, (slice) => [
    `${slice.metadata.namespace ?? ''}/${slice.metadata.labels?.[SERVICE_NAME_LABEL] ?? ''}`,
  ]);
  return {
    service: (namespace, name) => services.get(`${namespace}/${name}`),
    slices: (namespace, name) => slices.byIndex(BY_SERVICE, `${namespace}/${name}`),
    serviceByIp: (ip) => services.byIndex(BY_CLUSTER_IP, ip)[0],
  };
}
