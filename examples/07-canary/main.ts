// Runs the operator: `KUBECONFIG=FILE node_modules/.bin/node examples/07-canary/main.ts`. Installs its kind first.
import { runOperator } from 'pinnace/controllers';
import { canaryController } from './controller.ts';
import { Canaries } from './kind.ts';

if (import.meta.main)
  await runOperator({
    name: 'canary',
    kinds: [Canaries],
    controllers: [canaryController()],
    leaderElection: true,
  });
