// The built-in controllers as a process of their own (`pinnace controllers`), over HTTPS.
import { systemClock } from '../../base/clock.ts';
import { systemRandom } from '../../base/random.ts';
import { QueueFigures } from '../../client/workqueue/queue-figures.ts';
import { builtInControllers } from '../../controllers/all.ts';
import { runControllers } from '../../controllers/framework/manager.ts';
import { ReconcileFigures } from '../../controllers/framework/reconcile-figures.ts';
import { loadCa } from './certificates.ts';
import { runChild } from './child-process.ts';
import { type ComponentFlags, runServed } from './component.ts';
import { dataPaths } from './data-directory.ts';
import { removeHostPath } from './host-path-removal.ts';
import { keptByControllers } from './kept-form.ts';
import { tokenSigner } from './token-key.ts';
import { CONTROLLERS_AGENT } from './user-agents.ts';

/** The body of the process. */
export async function runComponent(dataDir: string, flags: ComponentFlags): Promise<void> {
  await runChild('controllers', async (context) => {
    const { pki } = dataPaths(dataDir);
    const { logger, signal } = context;
    const factories = builtInControllers({
      caCertificate: loadCa(pki),
      signToken: tokenSigner(pki),
      removeHostPath,
    });
    const start = { name: 'controllers', userAgent: CONTROLLERS_AGENT, dataDir, flags } as const;
    await runServed(start, context, ({ client, figures, follow }) =>
      runControllers(
        factories,
        {
          client,
          clock: systemClock,
          random: systemRandom,
          logger,
          hooks: {
            queues: new QueueFigures(figures),
            reconciles: new ReconcileFigures(figures),
            informers: follow,
          },
          transform: keptByControllers,
        },
        signal,
      ),
    );
  });
}
