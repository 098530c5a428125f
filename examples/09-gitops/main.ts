// Runs the operator: `KUBECONFIG=FILE node_modules/.bin/node examples/09-gitops/main.ts`. Installs its kind first; needs git on this host.
import { runOperator } from 'pinnace/controllers';
import { gitSync } from './controller.ts';
import { hostRepositories } from './git.ts';
import { GitSyncs } from './kind.ts';

if (import.meta.main)
  await runOperator({
    name: 'git-sync',
    kinds: [GitSyncs],
    controllers: [gitSync(hostRepositories)],
    leaderElection: true,
  });
