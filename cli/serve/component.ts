// What controllers and scheduler have in common as processes of their own: their way to the API server, figures, and a port for both
// health and figures. Invariant: the port answers from before the first list of a cache until the component has ended.
import { join } from 'node:path';
import { systemClock } from '../../base/clock.ts';
import { Figures } from '../../base/figures.ts';
import { InformerFigures } from '../../client/informer/informer-figures.ts';
import type { OwnedInformerFactory } from '../../client/informer/informer-factory.ts';
import { loadKubeconfig } from '../../client/kubeconfig/kubeconfig.ts';
import type { Client } from '../../client/rest/client.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { ClientFigures } from '../../client/transport/counted.ts';
import { createHttpTransport } from '../../client/transport/http.ts';
import { createLinuxSystem } from '../../system/linux.ts';
import { ensureCertificates, loadCa, loadPair } from './certificates.ts';
import type { ChildContext } from './child-process.ts';
import { COMPONENT_PORTS, serveComponent } from './component-server.ts';
import { dataPaths } from './data-directory.ts';

/** Flags of the commands. */
export interface ComponentFlags {
  /** 0 for none. */
  readonly securePort?: number;
}

/** Which one, and how it is started. */
export interface ComponentStart {
  readonly name: keyof typeof COMPONENT_PORTS;
  readonly userAgent: string;
  readonly dataDir: string;
  readonly flags: ComponentFlags;
}

/** Told of the caches once they are made. */
export type Follow = (informers: Pick<OwnedInformerFactory, 'counters' | 'synced'>) => void;

/** What a component is run with. */
export interface ComponentDoors {
  readonly client: Client;
  readonly figures: Figures;
  readonly follow: Follow;
}

/** Runs `body` until it ends, its health and figures served meanwhile. */
export async function runServed(
  { name, userAgent, dataDir, flags }: ComponentStart,
  { logger, signal }: Pick<ChildContext, 'logger' | 'signal'>,
  body: (doors: ComponentDoors) => Promise<void>,
): Promise<void> {
  const { pki } = dataPaths(dataDir);
  const config = await loadKubeconfig(join(pki, `${name}.kubeconfig`));
  const transport = createHttpTransport({ ...config.transport, userAgent });
  const figures = new Figures();
  const host = new URL(config.transport.server).host;
  const client = createClient(new ClientFigures(figures).counted(transport, host, systemClock));
  const caches = new InformerFigures(figures);
  let made: Parameters<Follow>[0] | undefined;
  const synced = async () => {
    await made?.synced(signal);
    return made !== undefined;
  };
  const { securePort: port = COMPONENT_PORTS[name] } = flags;
  const server =
    port === 0
      ? undefined
      : await serveComponent({
          port,
          tls: await servingPair(pki, name),
          client,
          clock: systemClock,
          logger,
          figures,
          checks: [
            { name: 'ping', run: () => true },
            { name: 'informer-sync', probes: ['readyz'], run: synced },
          ],
        });
  if (server) logger.info('health and figures are served', { port: server.port });
  try {
    await body({
      client,
      figures,
      follow: (informers) => {
        made = informers;
        caches.follow(name, informers);
      },
    });
  } finally {
    await server?.close();
    transport.close();
  }
}

/** Made when it is first served: where all runs in one process nobody needs it. */
async function servingPair(pki: string, name: string) {
  const file = `${name}-server`;
  const spec = {
    file,
    commonName: file,
    usage: 'server' as const,
    names: [
      { type: 'dns' as const, value: 'localhost' },
      { type: 'ip' as const, value: '127.0.0.1' },
    ],
  };
  await ensureCertificates(pki, [spec], { system: createLinuxSystem(), clock: systemClock });
  return { ...loadPair(pki, file), clientCa: loadCa(pki) };
}
