// The built-in controllers as a process of their own (`pinnace controllers`), over HTTPS.
import { join } from 'node:path';
import { systemClock } from '../../base/clock.ts';
import { systemRandom } from '../../base/random.ts';
import { loadKubeconfig } from '../../client/kubeconfig/kubeconfig.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { createHttpTransport } from '../../client/transport/http.ts';
import { builtInControllers } from '../../controllers/all.ts';
import { runControllers } from '../../controllers/framework/manager.ts';
import { loadCa } from './certificates.ts';
import { runChild } from './child-process.ts';
import { dataPaths } from './data-directory.ts';
import { removeHostPath } from './host-path-removal.ts';
import { keptByControllers } from './kept-form.ts';
import { tokenSigner } from './token-key.ts';
import { CONTROLLERS_AGENT } from './user-agents.ts';

/** The body of the process. */
export async function runComponent(dataDir: string): Promise<void> {
  await runChild('controllers', async ({ logger, signal }) => {
    const { pki } = dataPaths(dataDir);
    const config = await loadKubeconfig(join(pki, 'controllers.kubeconfig'));
    const transport = createHttpTransport({ ...config.transport, userAgent: CONTROLLERS_AGENT });
    await runControllers(
      builtInControllers({
        caCertificate: loadCa(pki),
        signToken: tokenSigner(pki),
        removeHostPath,
      }),
      {
        client: createClient(transport),
        clock: systemClock,
        random: systemRandom,
        logger,
        transform: keptByControllers,
      },
      signal,
    );
    transport.close();
  });
}
