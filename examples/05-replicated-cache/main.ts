// Runs the operator: `KUBECONFIG=FILE node_modules/.bin/node examples/05-replicated-cache/main.ts`. Installs its kind first.
import { runOperator } from 'pinnace/controllers';
import { replicatedCache } from './controller.ts';
import { ReplicatedCaches } from './kind.ts';

if (import.meta.main)
  await runOperator({
    name: 'replicated-cache',
    kinds: [ReplicatedCaches],
    controllers: [replicatedCache],
    leaderElection: true,
  });
